cell!(Mgu { w, u });
