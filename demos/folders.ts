/** The folder of the pictures that a terminal gets without a flag, and of their index page. */
export const PICTURES = "build/pictures";
