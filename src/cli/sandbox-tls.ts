import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../embed/mod.ts";
import type { CommandIo } from "./io.ts";

export interface SandboxTls {
  /** For the servers: PEM texts. */
  server: { ca: string; cert: string; key: string };
  /** For clients: paths. */
  paths: { ca: string; cert: string; key: string };
}

const VALID_DAYS = 3650;

/** The sandbox's authority with a certificate for its ports and one for clients, in `dir/tls`; made once. */
export function sandboxTls(io: CommandIo, dir: string, host: string): SandboxTls {
  const folder = join(dir, "tls");
  const at = (name: string): string => join(folder, name);
  if (!existsSync(at("client-key.pem"))) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const common = { clock: io.clock, random: io.random, fromDays: -1, toDays: VALID_DAYS };
    const ca = makeCertificate({ ...common, name: "levin sandbox authority", isAuthority: true });
    const hosts = [...new Set([host, "127.0.0.1", "localhost"])];
    const server = makeCertificate({ ...common, name: "levin-sandbox", issuer: ca, hosts });
    const client = makeCertificate({ ...common, name: "levin-client", issuer: ca });
    writeFileSync(at("ca.pem"), ca.cert);
    for (const [name, one] of Object.entries({ server, client })) {
      writeFileSync(at(`${name}.pem`), one.cert);
      writeFileSync(at(`${name}-key.pem`), one.key, { mode: 0o600 });
    }
  }
  const read = (name: string): string => readFileSync(at(name), "utf8");
  return {
    server: { ca: read("ca.pem"), cert: read("server.pem"), key: read("server-key.pem") },
    paths: { ca: at("ca.pem"), cert: at("client.pem"), key: at("client-key.pem") },
  };
}
