import { createCertificate } from "../support/tls.ts";
import type { Certificate } from "../support/tls.ts";

const given = process.env["CERTIFICATE"];

/** The certificate of all servers of this folder. The process of a test passes its own to child processes. */
export const certificate: Certificate = given === undefined ? await createCertificate() : JSON.parse(given);
