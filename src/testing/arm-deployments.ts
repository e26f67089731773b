import type { Deployments } from "./deployment-service.ts";
import type { Service } from "./service.ts";

/** Returns a service that also has the deployments of Azure Resource Manager. Its limits are theirs. */
export function withDeployments(service: Service, deployments: Deployments): Service {
  return {
    ...service,
    commonHeaders: () => ({ "access-control-expose-headers": "*" }),
    respondTo(plane, request) {
      const reply = deployments.respondTo(request, (kind) => {
        if (kind === "start") return plane.nextInitialFaults.shift();
        return kind === "status" ? plane.nextFaults.shift() : undefined;
      });
      if (reply) return reply;
      const { headers, rejection } = deployments.takeToken(request);
      if (rejection) return { response: rejection };
      const other = service.respondTo(plane, request);
      return {
        ...other,
        response: { ...other.response, headers: { ...headers, ...other.response.headers } },
      };
    },
  };
}
