// The page of the temperature slider: its stage stands before the framework has started.

import { more } from "./more.js";
import { boot } from "./shell.js";

boot(document.getElementById("g-app"));
more(document.querySelector(".g-scenes"));
