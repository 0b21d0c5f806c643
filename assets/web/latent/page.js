// The explorer's page: the stage stands before the framework has started.

import { boot } from "./explorer.js";

boot(document.getElementById("g-app"));
