import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { generate } from "selfsigned";

/** A server's key and certificate, as PEM texts. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** The flaws of a certificate. Default: none. */
export interface CertificateFlaws {
  /** An address, or the name `localhost`. Default 127.0.0.1. */
  readonly host?: string;
  /** The end of its validity. Default: in a year. */
  readonly expiredAt?: Date;
  /** The start of its validity. Default: now. */
  readonly validFrom?: Date;
  /** Whether it is valid for clients only. */
  readonly isForClients?: boolean;
}

/** Creates a self-signed certificate. */
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
    // RSA keys take a hundred times as long.
    keyType: "ec",
    extensions: [{ name: "subjectAltName", altNames: [altName] }, ...(isForClients ? [usage] : [])],
    ...(expiredAt && { notBeforeDate: new Date(expiredAt.getTime() - 86_400_000), notAfterDate: expiredAt }),
    ...(validFrom && { notBeforeDate: validFrom }),
  });
  return { key, cert };
}

/** Makes this process trust certificates. Returns a function that undoes it. */
export function trust(...certificates: readonly Certificate[]): () => void {
  const trusted = getCACertificates("default");
  setDefaultCACertificates([...trusted, ...certificates.map(({ cert }) => cert)]);
  return () => setDefaultCACertificates(trusted);
}
