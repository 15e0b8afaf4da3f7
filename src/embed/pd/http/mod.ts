/** PD's HTTP API: a function from request to answer. */

import type { HttpAnswer, HttpRequest } from "../../net/mod.ts";
import type { Member, PdState } from "../state.ts";
import { plain } from "./answer.ts";
import { configRoutes } from "./config-routes.ts";
import { labelRoutes } from "./label-routes.ts";
import { memberRoutes } from "./member-routes.ts";
import { placementRoutes } from "./placement-routes.ts";
import { regionRoutes } from "./region-routes.ts";
import { Router } from "./router.ts";
import { schedulerRoutes } from "./scheduler-routes.ts";
import { storeRoutes } from "./store-routes.ts";

const TO_FOLLOWER = "[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader\n";

/** Answers requests of PD's HTTP API. A follower passes them on to the leader, once. */
export function pdHttp(pd: PdState, member?: Member): (request: HttpRequest) => Promise<HttpAnswer> {
  const router = new Router([
    ...memberRoutes(pd),
    ...configRoutes(pd),
    ...schedulerRoutes(pd),
    ...labelRoutes(pd),
    ...placementRoutes(pd),
    ...storeRoutes(pd),
    ...regionRoutes(pd),
  ]);
  return async (request) => {
    const follows = member !== undefined && member !== pd.leadership.leader;
    if (follows && request.headers?.["pd-redirector"] !== undefined) return plain(TO_FOLLOWER, 500);
    return router.handle(request);
  };
}
