import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { TableInfo } from "../../../schema/mod.ts";
import type { Front } from "./front.ts";

/** JSON with bigints as plain numbers, as Go writes them. */
export function losslessJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_, one) => (typeof one === "bigint" ? `\u0000${one}\u0000` : one === undefined ? null : one),
    1,
  );
  return text.replace(/"\\u0000(-?\d+)\\u0000"/g, "$1");
}

export interface StatusAnswer {
  status: number;
  body: string;
  json: boolean;
}

const json = (value: unknown): StatusAnswer => ({ status: 200, body: losslessJson(value), json: true });
const bad = (body: string): StatusAnswer => ({ status: 400, body, json: false });
const notFound: StatusAnswer = { status: 404, body: "404 page not found\n", json: false };

/** TiDB's status port: /status, /info, /settings, /schema, /db-table and what else importers look at. */
export async function listenStatusPort(
  front: Front,
  options: { host: string; port: number; tls?: { cert: string; key: string; ca?: string } },
): Promise<{ port: number; close(): Promise<void> }> {
  const listener: http.RequestListener = (request, response) => {
    const { status, body, json: isJson } = answerStatusPort(front, request.url ?? "/", request.method);
    response.writeHead(status, { "content-type": isJson ? "application/json" : "text/plain; charset=utf-8" });
    response.end(body);
  };
  const { tls } = options;
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tlsOptions(tls), listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** With a CA, clients have to show a certificate of it, as TiDB asks with `cluster-ssl-ca`. */
function tlsOptions({ cert, key, ca }: { cert: string; key: string; ca?: string }): https.ServerOptions {
  return ca === undefined ? { cert, key } : { cert, key, ca, requestCert: true, rejectUnauthorized: true };
}

const cistr = (name: string) => ({ O: name, L: name.toLowerCase() });

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function databaseInfo(db: { id: number; name: string; charset: string; collate: string }) {
  const { id, name, charset, collate } = db;
  return { id, db_name: cistr(name), charset, collate, Deprecated: {}, state: 5, policy_ref_info: null };
}

function serverInfo(front: Front) {
  const { addresses } = front;
  return {
    version: front.version,
    git_hash: "None",
    ddl_id: "levin-sandbox",
    ip: addresses.host,
    listening_port: addresses.port,
    status_port: addresses.statusPort,
    lease: "45s",
    start_timestamp: Math.floor(front.startedMs / 1000),
    labels: {},
    server_id: 1,
  };
}

const info = (front: Front) => ({ is_owner: true, max_procs: 1, gogc: 100, ...serverInfo(front) });

function settings(front: Front) {
  const { addresses } = front;
  return {
    host: addresses.host,
    "advertise-address": addresses.host,
    port: addresses.port,
    store: "tikv",
    path: addresses.pd.join(","),
    "enable-table-lock": false,
    "index-limit": 64,
    "max-index-length": 3072,
    "table-column-count-limit": 1017,
    "alter-primary-key": false,
    "split-table": true,
    "split-region-max-num": 1000,
    "keyspace-name": "",
    lease: "45s",
    status: {
      "status-host": addresses.host,
      "metrics-addr": "",
      "status-port": addresses.statusPort,
      "report-status": true,
    },
    security: { "cluster-ssl-ca": "", "cluster-ssl-cert": "", "cluster-ssl-key": "", "auto-tls": false },
    new_collations_enabled_on_first_bootstrap: front.newCollations,
  };
}

/** Answers a request to the status port. */
export function answerStatusPort(front: Front, url: string, method = "GET"): StatusAnswer {
  const { pathname, searchParams } = new URL(url, "http://tidb");
  const parts = pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  switch (parts[0]) {
    case "status":
      return json({
        connections: front.sessions.size,
        version: front.version,
        git_hash: "None",
        status: { init_stats_percentage: 100 },
      });
    case "settings":
      return json(settings(front));
    case "info":
      return parts[1] === "all" ? infoAll(front) : json(info(front));
    case "schema":
      return schema(front, parts, searchParams);
    case "db-table":
      return dbTable(front, parts[1] ?? "");
    case "schema_storage":
      return schemaStorage(front, parts);
    case "ddl":
      if (parts[1] === "history") return json([]);
      if (parts[1] === "owner" && parts[2] === "resign")
        return method === "POST" ? json("success!") : bad("This api only support POST method");
      return notFound;
    case "labels":
      return method === "POST" ? json({}) : bad("This api only support POST method");
    case "regions":
      return regions(front, parts);
    case "tables":
      return tableRegions(front, parts);
    default:
      return notFound;
  }
}

function infoAll(front: Front): StatusAnswer {
  return json({
    servers_num: 1,
    owner_id: "levin-sandbox",
    is_all_server_version_consistent: true,
    all_servers_info: { "levin-sandbox": serverInfo(front) },
  });
}

function schema({ catalog }: Front, parts: string[], search: URLSearchParams): StatusAnswer {
  const ids = search.get("table_ids") ?? search.get("table_id");
  if (ids !== null) return byIds(catalog, ids, search.has("table_ids"));
  if (parts[1] === undefined) return json(catalog.databases().map(databaseInfo));
  const db = catalog.database(parts[1]);
  if (db === undefined) return bad(`[schema:1049]Unknown database '${parts[1]}'`);
  if (parts[2] === undefined) {
    const tables = catalog.tables(db.name);
    return json(search.has("id_name_only") ? tables.map(({ id, name }) => ({ id, name })) : tables);
  }
  const table = catalog.table(db.name, parts[2]);
  return table === undefined ? bad(`[schema:1146]Table '${db.name}.${parts[2]}' doesn't exist`) : json(table);
}

function byIds(catalog: Front["catalog"], ids: string, several: boolean): StatusAnswer {
  const texts = ids.split(",");
  const wrong = texts.find((text) => !/^[+-]?\d+$/.test(text));
  if (wrong !== undefined) return bad(`strconv.Atoi: parsing ${JSON.stringify(wrong)}: invalid syntax`);
  const wanted = new Set(texts.map(Number));
  const found = catalog
    .databases()
    .flatMap((db) => catalog.tables(db.name))
    .filter((table) => wanted.has(table.id));
  if (several) return json(Object.fromEntries(found.map((table) => [table.id, table])));
  return found[0] === undefined ? bad(`[schema:1146]Table which ID = ${ids} does not exist.`) : json(found[0]);
}

/** A table by its id or by the id of one of its partitions. */
function dbTable({ catalog }: Front, id: string): StatusAnswer {
  if (!/^[+-]?\d+$/.test(id)) return bad(`Wrong tableID ${id}`);
  const holds = (table: TableInfo) =>
    table.id === Number(id) || table.partition?.definitions.some((one) => one.id === Number(id));
  for (const db of catalog.databases()) {
    const table = catalog.tables(db.name).find(holds);
    if (table !== undefined) return json({ db_info: databaseInfo(db), table_info: table, schema_version: 1 });
  }
  return bad(`[schema:1146]Table which ID = ${id} does not exist.`);
}

function schemaStorage({ catalog }: Front, parts: string[]): StatusAnswer {
  const db = parts[1] === undefined ? undefined : catalog.database(parts[1]);
  if (parts[1] !== undefined && db === undefined) return bad(`[schema:1049]Unknown database '${parts[1]}'`);
  const dbs = db === undefined ? catalog.databases() : [db];
  const rows = dbs.flatMap(({ name }) =>
    catalog
      .tables(name)
      .filter((table) => parts[2] === undefined || table.name.L === parts[2].toLowerCase())
      .map((table) => ({
        table_schema: name,
        table_name: table.name.O,
        table_rows: 0,
        avg_row_length: 0,
        data_length: 0,
        max_data_length: 0,
        index_length: 0,
        data_free: 0,
      })),
  );
  return json(rows);
}

function regionJson(region: ReturnType<Front["storage"]["regions"]>[number]) {
  return {
    region_id: region.id,
    leader: { id: region.leaderId, store_id: region.leaderStoreId },
    peers: region.peerIds.map((id) => ({ id })),
    region_epoch: { conf_ver: region.confVer, version: region.version },
  };
}

function regions({ storage }: Front, parts: string[]): StatusAnswer {
  const none = new Uint8Array(0);
  if (parts[1] === "hot") return json({ read: [], write: [] });
  if (parts[1] === "meta") return json(storage.regions(none, none).map(regionJson));
  return notFound;
}

function tableRegions(front: Front, parts: string[]): StatusAnswer {
  const [, dbName = "", name = "", what] = parts;
  const db = front.catalog.database(dbName);
  const table = db && front.catalog.table(db.name, name);
  if (table === undefined) return bad(`[schema:1146]Table '${dbName}.${name}' doesn't exist`);
  if (what === "scatter" || what === "stop-scatter") return json("success!");
  return notFound;
}
