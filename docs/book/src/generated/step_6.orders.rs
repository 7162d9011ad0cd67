orders(x, 1);
