// The stepper's page: the stage stands before the framework has started.

import { boot } from "./stepper.js";

boot(document.getElementById("g-app"));
