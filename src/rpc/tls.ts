import { createPrivateKey, X509Certificate } from "node:crypto";
import type { PeerCertificate } from "node:tls";
import { WireError } from "./wire-error.ts";

/** PEM texts; several certificates may follow each other. */
export interface TlsMaterial {
  /** Whom to trust; without it the authorities that the runtime knows. */
  readonly ca?: string;
  /** Own certificate chain and key, for servers that ask for them. */
  readonly cert?: string;
  readonly key?: string;
}

export interface TlsOptions {
  /** Called for every new connection, so that renewed certificate files are taken up without a restart. */
  readonly material: TlsMaterial | (() => TlsMaterial | Promise<TlsMaterial>);
  /** Name to ask for and to check, when it is not the host of the URL. */
  readonly serverName?: string;
  /**
   * Looks at the server's certificate after chain and host name were found good (allowed common names, pins). A text is the reason
   * for refusing it.
   */
  readonly checkPeer?: (certificate: PeerCertificate) => string | undefined;
}

/** Loads the material and checks what can be checked before any handshake, where the reason would be hard to see. */
export async function loadMaterial(options: TlsOptions): Promise<TlsMaterial> {
  let material: TlsMaterial;
  try {
    material = typeof options.material === "function" ? await options.material() : options.material;
  } catch (error) {
    throw new WireError("tls", `certificates cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (material.ca !== undefined) parse("ca", () => new X509Certificate(material.ca!));
  if (material.cert === undefined || material.key === undefined) {
    if (material.cert !== material.key) throw new WireError("tls", "a certificate and its key must be given together");
    return material;
  }
  const certificate = parse("cert", () => new X509Certificate(material.cert!));
  const key = parse("key", () => createPrivateKey(material.key!));
  if (!certificate.checkPrivateKey(key)) throw new WireError("tls", "the key does not belong to the certificate");
  return material;
}

function parse<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new WireError("tls", `"${what}" is not in PEM form: ${messageOf(error)}`, { cause: error });
  }
}

/** Error codes of Node, Bun (BoringSSL) and Deno (rustls) that a repetition does not mend. */
const TLS_CODE =
  /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|CRL_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH|ERROR_IN_CERT|KEY_VALUES_MISMATCH|EPROTO)/;
const TLS_TEXT =
  /certificate|handshake|\bssl\b|\btls\b|alert|key values mismatch|wrong version number|altname|issuer|invalid peer|bad_record|BoringSSL|\bPEM\b/i;

const CUT_CODES = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** True for every error of a socket that the handshake may be to blame for. */
export function isTlsFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === "string" && (TLS_CODE.test(code) || CUT_CODES.has(code))) return true;
  return TLS_TEXT.test(error.message);
}

/** The handshake failed, before or (client certificates in TLS 1.3) shortly after it seemed finished. */
export function tlsFailure(error: unknown): WireError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const text = messageOf(error);
  if (/wrong.version.number|packet length too long|InvalidContentType|corrupt message/i.test(`${code} ${text}`)) {
    return new WireError("tls", `the port does not speak TLS: ${text}`, { cause: error });
  }
  const cut = (code !== undefined && CUT_CODES.has(code)) || /before secure TLS connection|socket hang up/i.test(text);
  if (cut && !TLS_CODE.test(code ?? "")) return closedInHandshake(error);
  const named = code === undefined || text.includes(code) ? text : `${text} (${code})`;
  return new WireError("tls", `TLS handshake failed: ${named}`, { cause: error });
}

/** No reason given: a refused client certificate on some runtimes, a port without TLS, or a server that just went away. */
export function closedInHandshake(cause?: unknown): WireError {
  const text =
    "the server closed the connection during the TLS handshake: it refused our certificate, does not speak TLS on this port, or stopped";
  return new WireError("lost", text, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
