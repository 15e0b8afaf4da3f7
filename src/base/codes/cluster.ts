import { defineCodes } from "./facts.ts";

export const clusterCodes = defineCodes({
  "Levin:Rpc:ErrUnavailable": {
    meaning: "A server cannot be reached, or the connection to it was lost.",
    action: "Check the address and that the server runs.",
    retry: "same",
    exit: 1,
  },
  "Levin:Rpc:ErrDeadline": {
    meaning: "A server did not answer in time.",
    action: "Check the server's load and log.",
    retry: "same",
    exit: 1,
  },
  "Levin:Rpc:ErrTls": {
    meaning: "TLS could not be agreed on with a server.",
    action:
      "Check whether the server speaks TLS there, and the certificates: [security] or --ca, --cert and --key; for MySQL tidb.tls and [tidb.security].",
    retry: "never",
    exit: 1,
  },
  "Levin:Rpc:ErrRefused": {
    meaning: "A server answered with an error.",
    action: "The message has the server's words.",
    retry: "never",
    exit: 1,
  },
  "Levin:Rpc:ErrStalled": {
    meaning: "An upload to a server went on too slowly for too long.",
    action: "Check the server's load and the network to it.",
    retry: "same",
    exit: 1,
  },
  "Levin:Rpc:ErrProtocol": {
    meaning: "What a server sent is not HTTP/2 or gRPC as it should be.",
    action: "Check that the address is that of the right service, and whether it wants TLS.",
    retry: "same",
    exit: 1,
  },
  "Levin:Rpc:ErrCanceled": {
    meaning: "A call was given up because the work that it belonged to ended.",
    action: "Look for the error that came first.",
    retry: "never",
    exit: 1,
  },
  "Levin:Cluster:ErrPd": {
    meaning: "PD refused a request.",
    action: "The message has PD's words.",
    retry: "refresh",
    exit: 1,
  },
  "Levin:Cluster:ErrPdUnavailable": {
    meaning: "No member of PD answers, or none knows a leader.",
    action: "Check --pd-urls and that PD runs; the message has what each address answered.",
    retry: "refresh",
    exit: 1,
  },
  "Levin:Cluster:ErrClusterId": {
    meaning: "A PD address belongs to another cluster than the import.",
    action: "Correct --pd-urls.",
    retry: "never",
    exit: 1,
  },
  "Levin:Cluster:ErrRegions": {
    meaning: "PD does not know all regions of a key range, or a region has no leader.",
    action: "Check that all TiKV stores run, then run the same command again.",
    retry: "refresh",
    exit: 1,
  },
  "Levin:Cluster:ErrSnapshotGone": {
    meaning: "The data of a timestamp was garbage-collected before it was read.",
    action: "Run the same command again; raise tikv_gc_life_time if it stays.",
    retry: "refresh",
    exit: 1,
  },
  "Levin:Tidb:ErrUnavailable": {
    meaning: "The target's SQL server, or TiDB's status port, cannot be reached.",
    action: "Check the address that the message names (--tidb-host, --tidb-port) and that the server runs.",
    retry: "same",
    exit: 1,
  },
  "Levin:Tidb:ErrLocked": {
    meaning: "Another session holds a lock in the target that the import needs.",
    action:
      "Wait for the other import to end. Of a killed one, the server may still work at a statement: see SHOW PROCESSLIST.",
    retry: "same",
    exit: 1,
  },
  "Levin:Tidb:ErrSql": {
    meaning: "TiDB refused a statement.",
    action: "The message has the statement's place and TiDB's words.",
    retry: "never",
    exit: 1,
  },
  "Levin:Tidb:ErrStatusPort": {
    meaning: "TiDB's status port answered with an error, or is not where it should be.",
    action: "Check --tidb-status (tidb.status-port); the message has the server's words.",
    retry: "never",
    exit: 1,
  },
});
