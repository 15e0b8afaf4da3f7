import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, LevinError, type Random, systemClock, systemRandom } from "../base/mod.ts";
import { LocalObjects } from "./local-objects.ts";
import type { ObjectStorage } from "./object-storage.ts";
import { S3Client } from "./s3-client.ts";
import { S3Objects } from "./s3-objects.ts";
import { type Environment, parseS3Address, type S3Options } from "./s3-options.ts";

export interface OpenStorageOptions {
  clock?: Clock;
  random?: Random;
  /** AWS_ACCESS_KEY_ID and its kind. */
  environment?: Environment;
  /** Certificates in PEM that are trusted beside the system's. */
  ca?: string | undefined;
}

/** What an address means: a directory's path, or undefined for an object store. Errors: Levin:Storage:ErrAddress. */
export function localPathOf(address: string): string | undefined {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined) return resolve(address);
  if (scheme === "s3") return undefined;
  if (scheme === "file" || scheme === "local") {
    try {
      return fileURLToPath(`file${address.slice(scheme.length)}`);
    } catch (error) {
      throw new LevinError(
        "Levin:Storage:ErrAddress",
        `Cannot use the storage address "${address}": expected file:///DIR`,
        {
          cause: error,
        },
      );
    }
  }
  throw new LevinError(
    "Levin:Storage:ErrAddress",
    `Cannot use the storage address: "${scheme}" is not supported; expected a directory, file:// or s3://`,
  );
}

/** A directory's path, `file:///DIR`, `local:///DIR` or `s3://BUCKET/PREFIX?…` as storage. Errors: Levin:Storage:ErrAddress. */
export function openObjectStorage(address: string, options: OpenStorageOptions = {}): ObjectStorage {
  const { clock = systemClock, environment = {}, ca } = options;
  const path = localPathOf(address);
  if (path !== undefined) return new LocalObjects(path, { clock });
  return openBucket({ ...parseS3Address(address, environment), ca }, options);
}

/** A bucket of which everything is known; plain data, so that it may be handed to a thread. */
export interface BucketAccess extends S3Options {
  /** Certificates in PEM that are trusted beside the system's. */
  ca?: string | undefined;
}

export function openBucket({ ca, ...bucket }: BucketAccess, options: OpenStorageOptions = {}): ObjectStorage {
  const { clock = systemClock, random = systemRandom } = options;
  return new S3Objects(new S3Client(bucket, { clock, random, ca }));
}
