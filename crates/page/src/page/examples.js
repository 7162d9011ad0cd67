export const EXAMPLES = [{ name: "x", program: "x = 1" }];
