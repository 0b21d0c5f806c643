// The page of the temperature slider: its stage stands before the framework has started.

import { boot } from "./shell.js";

boot(document.getElementById("g-app"));
