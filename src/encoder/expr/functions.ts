/** All functions by name. */
import type { FunctionTable } from "./call.ts";
import { arithmetic } from "./fn/arithmetic.ts";
import { comparisons } from "./fn/comparison.ts";
import { control } from "./fn/control.ts";
import { extrema } from "./fn/extremum.ts";
import { logic } from "./fn/logic.ts";

export const functions: FunctionTable = { ...arithmetic, ...comparisons, ...control, ...extrema, ...logic };
