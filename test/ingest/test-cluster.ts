import { type Clock, type Random, seededRandom } from "../../src/base/mod.ts";
import {
  defaultTikvLimits,
  grpcConnect,
  PdClient,
  StoreDirectory,
  TikvClient,
  type TikvLimits,
} from "../../src/cluster/mod.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/embed/mod.ts";
import { scaledClock } from "../cluster/scaled-clock.ts";
import { FaultyNetwork } from "./faults.ts";

export interface TestCluster extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: PdClient;
  readonly tikv: TikvClient;
  /** Between the clients and the stores; PD is reached without faults. */
  readonly network: FaultyNetwork;
  /** What the stores refused although real ones would have taken it to their harm. */
  readonly harms: string[];
}

/** A sandbox on loopback ports and the importer's clients of it, on a clock that runs faster than the real one. */
export async function openCluster(
  options: Partial<SandboxOptions> & { tikvLimits?: Partial<TikvLimits>; speed?: number } = {},
): Promise<TestCluster> {
  const clock = scaledClock(options.speed ?? 20);
  const random = seededRandom(7);
  const harms: string[] = [];
  const sandbox = await startSandbox({ clock, random, onHarm: (text) => void harms.push(text), ...options });
  const connect = grpcConnect({ clock });
  const network = new FaultyNetwork(connect);
  const pd = new PdClient({ clock, random, connect, addresses: sandbox.pd });
  const limits = { ...defaultTikvLimits, ...options.tikvLimits };
  const tikv = new TikvClient({ connect: network.connect, stores: new StoreDirectory(pd), limits });
  await pd.connect();
  return {
    sandbox,
    clock,
    random,
    pd,
    tikv,
    network,
    harms,
    async [Symbol.asyncDispose]() {
      pd.close();
      tikv.close();
      await sandbox.close();
    },
  };
}
