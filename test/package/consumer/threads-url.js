/** The bundler gives the address of the program of a worker. */
import program from "jarvis-snn/threads/worker?url&no-inline";
import { trainWithProgram } from "./threads.js";

parent.ended(location.pathname, { page: await trainWithProgram(program) });
