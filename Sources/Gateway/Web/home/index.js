/**
 * The page at the root: it only says that links lead further.
 * @module
 */

import { applyTheme } from "../shared/theme.js";

applyTheme();
