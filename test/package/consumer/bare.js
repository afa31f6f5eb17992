/** Uses nothing of the complete entry. */
import "jarvis-snn";
