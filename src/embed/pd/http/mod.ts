/** PD's HTTP API: a function from request to answer. */

import type { HttpAnswer, HttpRequest } from "../../net/mod.ts";
import type { PdState } from "../state.ts";
import { configRoutes } from "./config-routes.ts";
import { labelRoutes } from "./label-routes.ts";
import { memberRoutes } from "./member-routes.ts";
import { placementRoutes } from "./placement-routes.ts";
import { regionRoutes } from "./region-routes.ts";
import { Router } from "./router.ts";
import { schedulerRoutes } from "./scheduler-routes.ts";
import { storeRoutes } from "./store-routes.ts";

/** Answers requests of PD's HTTP API. */
export function pdHttp(pd: PdState): (request: HttpRequest) => Promise<HttpAnswer> {
  const router = new Router([
    ...memberRoutes(pd),
    ...configRoutes(pd),
    ...schedulerRoutes(pd),
    ...labelRoutes(pd),
    ...placementRoutes(pd),
    ...storeRoutes(pd),
    ...regionRoutes(pd),
  ]);
  return (request) => router.handle(request);
}
