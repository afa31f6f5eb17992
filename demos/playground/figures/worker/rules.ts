/** The worker of rules for synapses. It is built apart from the other, so that it loads nothing of the package that training alone uses. */
import { serve } from "./serve.ts";

serve((name) => import(`./rules/${name}.ts`));
