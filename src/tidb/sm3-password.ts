import { utf8 } from "../base/mod.ts";

/** Bytes where an SM3 digest would stand; the server, which cannot check them, then asks for the password itself. */
const NO_DIGEST = 32;
/** "Send the password." */
const FULL_AUTHENTICATION = 4;

/**
 * The client's side of `tidb_sm3_password`, which mysql2 lacks: one call for each packet of the server. The password travels as it is,
 * so only under TLS; without it throws.
 */
export function sm3Password(password: string, isEncrypted: boolean): (data: Uint8Array) => Uint8Array | null {
  if (!isEncrypted) throw new Error("accounts with tidb_sm3_password need TLS");
  let isFirst = true;
  return (data) => {
    if (isFirst) {
      isFirst = false;
      return new Uint8Array(NO_DIGEST);
    }
    return data[0] === FULL_AUTHENTICATION ? utf8(`${password}\0`) : null;
  };
}
