import { devCenter } from "./dev-center.ts";
import type { OperationStyle, Service } from "./service.ts";
import { arm, resource } from "./styles/arm.ts";
import { fabric, keyVault, location, operationLocation } from "./styles/data-plane-styles.ts";
import { serviceOf } from "./style-service.ts";

/** The emulated services. */
export const services: Readonly<Record<OperationStyle, Service>> = {
  devcenter: devCenter,
  arm: serviceOf(arm),
  "operation-location": serviceOf(operationLocation),
  location: serviceOf(location),
  resource: serviceOf(resource),
  fabric: serviceOf(fabric),
  "key-vault": serviceOf(keyVault),
};
