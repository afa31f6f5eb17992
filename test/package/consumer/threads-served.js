/** A copy of the program of a worker lies beside the page. */
import { trainWithProgram } from "./threads.js";

parent.ended(location.pathname, { page: await trainWithProgram("program.js") });
