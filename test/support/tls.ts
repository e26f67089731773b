import { generate } from "selfsigned";

/** A server's key and certificate, PEM texts. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** What is wrong with a certificate, if anything is. */
export interface CertificateFlaws {
  /** An address, or the name `localhost`. Default 127.0.0.1. */
  readonly host?: string;
  /** Default: in a year. */
  readonly expiredAt?: Date;
  /** Default: now. */
  readonly validFrom?: Date;
  /** Good for clients alone. */
  readonly isForClients?: boolean;
}

/** A certificate made for the occasion, signed by itself. */
export async function createCertificate({
  host = "127.0.0.1",
  expiredAt,
  validFrom,
  isForClients = false,
}: CertificateFlaws = {}): Promise<Certificate> {
  const altName =
    host === "localhost" ? ({ type: 2, value: host } as const) : ({ type: 7, ip: host } as const);
  const usage = { name: "extKeyUsage" as const, clientAuth: true };
  const { private: key, cert } = await generate([{ name: "commonName", value: host }], {
    algorithm: "sha256",
    keySize: 2048,
    extensions: [{ name: "subjectAltName", altNames: [altName] }, ...(isForClients ? [usage] : [])],
    ...(expiredAt && { notBeforeDate: new Date(expiredAt.getTime() - 86_400_000), notAfterDate: expiredAt }),
    ...(validFrom && { notBeforeDate: validFrom }),
  });
  return { key, cert };
}
