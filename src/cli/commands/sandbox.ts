import { resolve } from "node:path";
import { command, flag, option, optional, string } from "cmd-ts";
import type { CommandIo } from "../io.ts";
import { portOf } from "../ports.ts";
import { storeCount } from "../store-count.ts";

/** `levin sandbox`: an embedded cluster for others to use, until it is interrupted. */
export const sandboxCommand = (io: CommandIo) =>
  command({
    name: "sandbox",
    description: "Start PD, TiKV stores and a TiDB front on loopback; runs until it is interrupted.",
    args: {
      dir: option({ type: string, long: "dir", description: "where the data lives" }),
      stores: option({ type: optional(string), long: "stores", description: "stores of a new sandbox, default 1" }),
      host: option({ type: optional(string), long: "host", description: "address to listen on, default 127.0.0.1" }),
      tidbPort: option({ type: optional(string), long: "tidb-port", description: "MySQL port, default any free one" }),
      statusPort: option({
        type: optional(string),
        long: "tidb-status",
        description: "status port, default any free one",
      }),
      pdPort: option({ type: optional(string), long: "pd-port", description: "PD's port, default any free one" }),
      tls: flag({ long: "tls", description: "certificates on all ports, from an authority of its own in DIR/tls" }),
      json: flag({ long: "json", description: "the addresses as one JSON line when ready" }),
    },
    handler: async (args) => {
      const port = (name: string, text: string | undefined) => (text === undefined ? 0 : portOf(name, text, 0));
      const { openSandbox } = await import("../sandbox.ts");
      const sandbox = await openSandbox(io, {
        dir: resolve(args.dir),
        stores: storeCount(args.stores),
        tls: args.tls,
        ...(args.host === undefined ? {} : { host: args.host }),
        ports: {
          tidb: port("tidb-port", args.tidbPort),
          status: port("tidb-status", args.statusPort),
          pd: port("pd-port", args.pdPort),
        },
      });
      const { front, pd, tikv } = sandbox;
      const { host } = front;
      if (args.json) {
        const ready = {
          tidb: { host, port: front.port },
          status: { host, port: front.statusPort },
          pd,
          tikv,
          tls: sandbox.tls,
        };
        io.stdout.write(`${JSON.stringify(ready)}\n`);
      } else {
        io.stdout.write(
          `TiDB    mysql://root@${host}:${front.port}\nstatus  http://${host}:${front.statusPort}\nPD      ${pd.join(" ")}\nTiKV    ${tikv.join(" ")}\n`,
        );
      }
      if (sandbox.tls !== undefined && !args.json) {
        const { ca, cert, key } = sandbox.tls;
        io.stdout.write(`TLS     --ca ${ca} --cert ${cert} --key ${key}\n`);
      }
      await new Promise<void>((done) => {
        if (io.signal.aborted) done();
        io.signal.addEventListener("abort", () => done(), { once: true });
      });
      await sandbox.close();
      return 0;
    },
  });
