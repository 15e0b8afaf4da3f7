/** All functions by name. */
import type { FunctionTable } from "./call.ts";
import { arithmetic } from "./fn/arithmetic.ts";
import { comparisons } from "./fn/comparison.ts";
import { control } from "./fn/control.ts";
import { dateArithmetic } from "./fn/date-arith.ts";
import { digests } from "./fn/digest.ts";
import { extrema } from "./fn/extremum.ts";
import { information } from "./fn/info.ts";
import { jsonMakers } from "./fn/json-make.ts";
import { jsonReaders } from "./fn/json-read.ts";
import { likes } from "./fn/like.ts";
import { logic } from "./fn/logic.ts";
import { mathematics } from "./fn/math.ts";
import { miscellany } from "./fn/misc.ts";
import { regexps } from "./fn/regexp.ts";
import { roundings } from "./fn/rounding.ts";
import { stringBasics } from "./fn/string-basic.ts";
import { stringCodes } from "./fn/string-code.ts";
import { stringFinders } from "./fn/string-find.ts";
import { stringParts } from "./fn/string-part.ts";
import { timeSums } from "./fn/time-add.ts";
import { timeFormats } from "./fn/time-format.ts";
import { timeMakers } from "./fn/time-make.ts";
import { timeNow } from "./fn/time-now.ts";
import { timeParts } from "./fn/time-part.ts";

export const functions: FunctionTable = {
  ...arithmetic,
  ...comparisons,
  ...control,
  ...dateArithmetic,
  ...digests,
  ...extrema,
  ...information,
  ...jsonMakers,
  ...jsonReaders,
  ...likes,
  ...logic,
  ...mathematics,
  ...miscellany,
  ...regexps,
  ...roundings,
  ...stringBasics,
  ...stringCodes,
  ...stringFinders,
  ...stringParts,
  ...timeFormats,
  ...timeMakers,
  ...timeNow,
  ...timeParts,
  ...timeSums,
};
