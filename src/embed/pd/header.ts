import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ErrorType, RequestHeader, ResponseHeaderSchema } from "../../../gen/pdpb_pb.ts";
import { Code, ConnectError } from "../grpc.ts";

/** Makes and checks the headers of PD's messages. */
export class Header {
  readonly #clusterId: bigint;

  constructor(clusterId: bigint) {
    this.#clusterId = clusterId;
  }

  /** Every request but GetMembers and GetClusterInfo names its cluster. */
  check(header: RequestHeader | undefined): void {
    const got = header?.clusterId ?? 0n;
    if (got === this.#clusterId) return;
    throw new ConnectError(`mismatch cluster id, need ${this.#clusterId} but got ${got}`, Code.FailedPrecondition);
  }

  ok(): MessageInitShape<typeof ResponseHeaderSchema> {
    return { clusterId: this.#clusterId };
  }

  /** A refusal inside an answer whose gRPC status is OK. */
  error(type: ErrorType, message: string): MessageInitShape<typeof ResponseHeaderSchema> {
    return { clusterId: this.#clusterId, error: { type, message } };
  }
}
