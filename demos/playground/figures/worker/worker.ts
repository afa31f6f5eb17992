/** The worker of networks that are trained. */
import { serve } from "./serve.ts";

serve((name) => import(`./tasks/${name}.ts`));
