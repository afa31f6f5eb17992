/** Instructions of vectors, behind the byte 0xfd, that loops use whatever they compute. */
export const load = 0;
export const loadSplat = 9;
export const store = 11;
export const integers = 12;
export const shuffle = 13;
export const splat = 17;
export const equalIntegers = 55;
export const both = 78;
export const loadLane = 86;
export const storeLane = 90;
export const loadZero = 92;
export const promote = 95;
export const bitmask8 = 100;
export const narrow16 = 101;
export const narrow32 = 133;
export const bitmask32 = 164;
export const addDouble = 240;
