import { systemClock, systemRandom } from "../src/base/mod.ts";
import { type CertificateOptions as AllOptions, type Identity, makeCertificate as make } from "../src/embed/mod.ts";

export type { Identity } from "../src/embed/mod.ts";

export type CertificateOptions = Pick<AllOptions, "name"> & Partial<AllOptions>;

/** The sandbox's certificates for tests: valid since yesterday and until tomorrow where nothing else is said. */
export function makeCertificate(options: CertificateOptions): Identity {
  return make({ clock: systemClock, random: systemRandom, fromDays: -1, toDays: 1, ...options });
}
