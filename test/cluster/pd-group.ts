/** PD members in this process, with the wrong turns that real ones take: leader changes, dead members, silent streams. */
import { create } from "@bufbuild/protobuf";
import { ErrorType, GetMembersResponseSchema, PD, TsoResponseSchema } from "../../gen/pdpb_pb.ts";
import { type Clock, LevinError } from "../../src/base/mod.ts";
import type { Connect } from "../../src/cluster/mod.ts";
import { type ConnectRouter, createInProcessTransport, ServerCode, ServerError } from "../../src/rpc/mod.ts";

type PdService = Parameters<ConnectRouter["service"]>[1];

export class PdGroup {
  readonly clusterId = 7_710_426_547_964_659_752n;
  readonly addresses: string[];
  /** Who answers GetMembers as leader; undefined during an election. */
  leader: string | undefined;
  readonly dead = new Set<string>();
  /** The address that members name for the leader, when it differs from where it listens. */
  advertised = new Map<string, string>();
  /** Members that take TSO requests and never answer. */
  readonly silent = new Set<string>();
  readonly calls: string[] = [];
  readonly #extra: Partial<Record<string, unknown>>;
  readonly #clock: Clock;
  #physical = 1_000n;
  readonly #streams = new Set<() => void>();

  constructor(clock: Clock, addresses: string[], extra: Record<string, unknown> = {}) {
    this.#clock = clock;
    this.addresses = addresses;
    this.leader = addresses[0];
    this.#extra = extra;
  }

  /** Moves the leadership; streams of the old leader end, as with a real PD. */
  elect(address: string | undefined): void {
    this.leader = address;
    for (const end of this.#streams) end();
    this.#streams.clear();
  }

  readonly connect: Connect = (address) => {
    const inner = createInProcessTransport((router) => router.service(PD, this.#service(address) as PdService), {
      target: address,
      clock: this.#clock,
    });
    const guard = (): void => {
      if (this.dead.has(address) || !this.addresses.includes(address)) {
        throw new LevinError("Levin:Rpc:ErrUnavailable", `Cannot call PD at ${address}: connect ECONNREFUSED`);
      }
    };
    return {
      ...inner,
      async unary(...args) {
        guard();
        return await inner.unary(...args);
      },
      async stream(...args) {
        guard();
        return await inner.stream(...args);
      },
    };
  };

  #service(address: string): Record<string, unknown> {
    const lead = (headers: Headers): void => {
      if (this.leader === address) return;
      const forwarded = headers.get("pd-forwarded-host");
      if (forwarded !== null && this.leader !== undefined && forwarded === this.#url(this.leader)) return;
      throw new ServerError("not leader", ServerCode.Unavailable);
    };
    const header = { clusterId: this.clusterId };
    const service: Record<string, unknown> = {
      getMembers: () => {
        this.calls.push(`${address} GetMembers`);
        return create(GetMembersResponseSchema, {
          header,
          members: this.addresses.map((a) => ({ name: a, clientUrls: [this.#url(a)] })),
          ...(this.leader === undefined ? {} : { leader: { name: this.leader, clientUrls: [this.#url(this.leader)] } }),
        });
      },
      getRegion: (_: unknown, context: { requestHeader: Headers }) => {
        this.calls.push(`${address} GetRegion`);
        lead(context.requestHeader);
        return { header };
      },
      getOperator: (_: unknown, context: { requestHeader: Headers }) => {
        lead(context.requestHeader);
        return { header: { ...header, error: { type: ErrorType.REGION_NOT_FOUND, message: "Not Found" } } };
      },
      tso: (requests: AsyncIterable<{ count: number }>) => this.#tso(address, requests),
    };
    for (const [name, method] of Object.entries(this.#extra)) {
      service[name] = (request: unknown, context: { requestHeader: Headers }) => {
        lead(context.requestHeader);
        this.calls.push(`${address} ${name}`);
        return (method as (r: unknown) => unknown)(request);
      };
    }
    return service;
  }

  async *#tso(address: string, requests: AsyncIterable<{ count: number }>): AsyncGenerator<unknown> {
    let ended = false;
    this.#streams.add(() => {
      ended = true;
    });
    for await (const request of requests) {
      this.calls.push(`${address} Tso ${request.count}`);
      if (this.silent.has(address)) await this.#clock.sleep(1e9);
      if (ended || this.leader !== address) {
        throw new ServerError(
          "[PD:tso:ErrGenerateTimestamp]generate timestamp failed, requested pd is not leader of cluster",
          ServerCode.Unknown,
        );
      }
      this.#physical++;
      yield create(TsoResponseSchema, {
        header: { clusterId: this.clusterId },
        count: request.count,
        timestamp: { physical: this.#physical, logical: BigInt(request.count) },
      });
    }
  }

  #url(address: string): string {
    return `http://${this.advertised.get(address) ?? address}`;
  }
}
