// The trainer's page: the stage stands before the framework has started.

import { boot } from "./trainer.js";

boot(document.getElementById("g-app"));
