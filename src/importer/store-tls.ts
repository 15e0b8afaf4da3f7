import type { TlsMaterial, TlsOptions } from "../rpc/mod.ts";

/** TLS towards PD and TiKV; servers whose certificates have other common names than those allowed are refused. */
export function storeTls(material: TlsOptions["material"], certAllowedCn: readonly string[] | undefined): TlsOptions {
  if (certAllowedCn === undefined) return { material };
  return {
    material,
    checkPeer: ({ subject }) => {
      const name = String(subject.CN);
      return certAllowedCn.includes(name) ? undefined : `its common name "${name}" is not in security.cert-allowed-cn`;
    },
  };
}

/** The parts of a configuration that are certificates. */
export function materialOf({ ca, cert, key }: TlsMaterial): TlsMaterial {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
