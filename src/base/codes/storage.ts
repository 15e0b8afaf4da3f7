import { defineCodes } from "./facts.ts";

export const storageCodes = defineCodes({
  "Levin:Storage:ErrFailed": {
    meaning: "A directory or object store cannot be read or written.",
    action: "Mend the cause that the message names, then run the same command again.",
    retry: "same",
    exit: 1,
  },
  "Levin:Storage:ErrDenied": {
    meaning: "An object store refuses the request: credentials, rights, region or bucket are wrong.",
    action: "Check the keys, the region and the bucket, in the address or in the AWS_ variables of the environment.",
    retry: "never",
    exit: 2,
  },
  "Levin:Storage:ErrAddress": {
    meaning: "The address of a storage is not one that levin understands.",
    action: "Give a directory, file:///DIR or s3://BUCKET/PREFIX?endpoint=…; see README.",
    retry: "never",
    exit: 2,
  },
});
