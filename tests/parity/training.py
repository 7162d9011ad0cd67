"""Cases of what trains: losses, optimizers, schedules. `generate.py` writes them."""

from unittest import mock

import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler

DOUBLE = torch.float64


def leaf(*shape):
    return torch.randn(shape, dtype=DOUBLE).requires_grad_(True)


def classes(draw):
    """Cross-entropy and what belongs to it: (name, leaves, given, arguments, function)."""
    for _ in range(12):
        n, c = draw.randint(1, 5), draw.randint(2, 6)
        more = [] if draw.random() < 0.5 else [draw.randint(1, 4)]
        target = torch.randint(0, c, (n, *more))
        given, arguments = {"target": target}, {}
        if draw.random() < 0.5:
            given["weight"] = torch.rand(c, dtype=DOUBLE) + 0.2
        if target.unique().numel() > 1 and draw.random() < 0.5:
            arguments["ignore_index"] = int(target.flatten()[-1])
        name = draw.choice(["cross_entropy", "nll_loss"])
        if name == "cross_entropy" and draw.random() < 0.5:
            arguments["label_smoothing"] = draw.choice([0.1, 0.35])

        def value(leaves, given, name=name, **how):
            x = leaves["input"].log_softmax(1) if name == "nll_loss" else leaves["input"]
            return getattr(F, name)(x, given["target"], weight=given.get("weight"), **how)

        yield name, {"input": leaf(n, c, *more)}, given, arguments, value
    for smoothing in (0.0, 0.2):
        target = torch.randn(4, 3, dtype=DOUBLE).softmax(1).requires_grad_(True)
        yield ("cross_entropy_probabilities", {"input": leaf(4, 3), "target": target}, {}, {"label_smoothing": smoothing},
               lambda leaves, given, **how: F.cross_entropy(leaves["input"], leaves["target"], **how))


def pairs(draw):
    """Losses of input and target, an element each."""
    def of(name, x, target, given=None, **arguments):
        def value(leaves, given, **how):
            more = {key: given[key] for key in ("pos_weight", "weight") if key in given}
            return getattr(F, name)(leaves["input"], given["target"], **more, **how)

        return name, {"input": x.requires_grad_(True)}, {"target": target, **(given or {})}, arguments, value

    def normal(*shape):
        return torch.randn(shape, dtype=DOUBLE)

    def chance(*shape):
        return torch.rand(shape, dtype=DOUBLE)

    for _ in range(2):
        n, d = draw.randint(1, 5), draw.randint(1, 4)
        yield of("mse_loss", normal(n, d), normal(n, d))
        yield of("l1_loss", normal(n, d), normal(n, d))
        yield of("smooth_l1_loss", normal(n, d), normal(n, d), beta=draw.choice([0.3, 1.2]))
        yield of("huber_loss", normal(n, d), normal(n, d), delta=draw.choice([0.3, 1.2]))
        yield of("binary_cross_entropy", normal(n, d).sigmoid(), chance(n, d))
        yield of("binary_cross_entropy", normal(n, d).sigmoid(), chance(n, d), {"weight": chance(n, d) + 0.1})
        yield of("binary_cross_entropy_with_logits", 3 * normal(n, d), chance(n, d))
        positive = {"pos_weight": chance(d) + 0.5, "weight": chance(n, d) + 0.1}
        yield of("binary_cross_entropy_with_logits", 3 * normal(n, d), chance(n, d), positive)
        yield of("kl_div", normal(n, d).log_softmax(1), chance(n, d).softmax(1))
        yield of("kl_div", normal(n, d).log_softmax(1), normal(n, d).log_softmax(1), log_target=True)
        counts = torch.randint(0, 5, (n, d)).to(DOUBLE)
        yield of("poisson_nll_loss", normal(n, d), counts, full=draw.random() < 0.5)
        yield of("poisson_nll_loss", chance(n, d) + 0.3, counts, log_input=False)


def others(draw):
    for full in (False, True):
        leaves = {"input": leaf(4, 2), "var": (torch.rand(4, 2, dtype=DOUBLE) + 0.2).requires_grad_(True)}
        yield ("gaussian_nll_loss", leaves, {"target": torch.randn(4, 2, dtype=DOUBLE)}, {"full": full},
               lambda leaves, given, **how: F.gaussian_nll_loss(leaves["input"], given["target"], leaves["var"], **how))
    for margin in (0.0, 0.4):
        target = torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=DOUBLE)
        yield ("cosine_embedding_loss", {"input": leaf(4, 3), "other": leaf(4, 3)}, {"target": target}, {"margin": margin},
               lambda leaves, given, **how: F.cosine_embedding_loss(leaves["input"], leaves["other"], given["target"], **how))
    for _ in range(4):
        yield ctc(draw, 6)


def ctc(draw, shortest, blank=0, **arguments):
    """Of inputs of `shortest` to 8 steps; one of less than 6 may have no path to its target."""
    n, c = draw.randint(1, 3), draw.randint(2, 4)
    lengths = torch.tensor([draw.randint(1, 3) for _ in range(n)])
    target = torch.randint(1, c, (n, int(lengths.max())))
    given = {
        "target": target - (target <= blank).long(),
        "input_lengths": torch.tensor([draw.randint(shortest, 8) for _ in range(n)]),
        "target_lengths": lengths,
    }
    if blank:
        arguments["blank"] = blank
    return ("ctc_loss", {"input": leaf(8, n, c)}, given, arguments,
            lambda leaves, given, **how: F.ctc_loss(leaves["input"].log_softmax(2), *given.values(), **how))


def options_of_ctc(draw):
    for _ in range(3):
        yield ctc(draw, 6, blank=1)
        yield ctc(draw, 1, zero_infinity=True)
        yield ctc(draw, 1, blank=1, zero_infinity=True)


def losses(folder, draw):
    write_losses(folder, draw, [*classes(draw), *pairs(draw), *others(draw)])


def write_losses(folder, draw, cases):
    for name, leaves, given, arguments, value in cases:
        reductions = ["mean", "sum", "none"] + (["batchmean"] if name == "kl_div" else [])
        arguments["reduction"] = draw.choice(reductions)
        result = value(leaves, given, **arguments)
        # PyTorch does not differentiate CTC twice.
        says = dict(kind="loss", name=name, loss=name, args=arguments, dtype="f64")
        folder.add(says, leaves, dict(loss=result), given, second=name != "ctc_loss")


OPTIMIZERS = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.5}, {"momentum": 0.9, "nesterov": True},
            {"weight_decay": 0.3}, {"momentum": 0.5, "weight_decay": 0.3, "maximize": True}],
    "Adam": [{}, {"betas": [0.8, 0.7], "amsgrad": True}, {"eps": 1e-3, "weight_decay": 0.3},
             {"weight_decay": 0.3, "maximize": True}],
    "AdamW": [{}, {"weight_decay": 0.3, "amsgrad": True, "maximize": True}],
    "RMSprop": [{}, {"alpha": 0.9, "centered": True}, {"alpha": 0.9, "momentum": 0.8, "weight_decay": 0.3},
                {"alpha": 0.9, "eps": 1e-4, "momentum": 0.8, "weight_decay": 0.3, "centered": True, "maximize": True}],
    "Adagrad": [{}, {"lr_decay": 0.1, "weight_decay": 0.3, "initial_accumulator_value": 0.5, "eps": 1e-3, "maximize": True}],
    "Adadelta": [{"lr": 1.0}, {"rho": 0.7, "eps": 1e-2, "weight_decay": 0.3, "maximize": True}],
    "Adamax": [{}, {"betas": [0.7, 0.6], "eps": 1e-3, "weight_decay": 0.3, "maximize": True}],
    "NAdam": [{}, {"betas": [0.7, 0.9], "eps": 1e-3, "weight_decay": 0.3, "momentum_decay": 0.5, "maximize": True},
              {"weight_decay": 0.3, "decoupled_weight_decay": True}],
    "RAdam": [{}, {"betas": [0.7, 0.9], "eps": 1e-3, "weight_decay": 0.3, "maximize": True},
              {"betas": [0.9, 0.99], "weight_decay": 0.3, "decoupled_weight_decay": True}],
    "Rprop": [{}, {"etas": [0.3, 1.5], "step_sizes": [0.05, 0.2], "maximize": True}],
    "ASGD": [{}, {"lambd": 0.5, "alpha": 0.6, "t0": 1.0, "weight_decay": 0.3, "maximize": True}],
}


MUON = [{}, {"nesterov": False, "momentum": 0.5, "weight_decay": 0.3},
        {"adjust_lr_fn": "match_rms_adamw", "ns_coefficients": [1.5, -0.5, 0.0], "ns_steps": 8, "eps": 1e-3}]


def optimizers(folder, draw):
    """Normal gradients, but for one step without."""
    for name, settings in OPTIMIZERS.items():
        for chosen in settings:
            for short, dtype in (("f64", DOUBLE), ("f32", torch.float32)):
                write_optimizer(folder, draw, name, chosen, short, dtype)


def muons(folder, draw):
    """PyTorch makes the momentum orthogonal in bfloat16: here that type is f64, so that what is compared is the
    formula and not a rounding to 8 bits."""
    with mock.patch.object(torch, "bfloat16", DOUBLE):
        for chosen in MUON:
            write_optimizer(folder, draw, "Muon", chosen, "f64", DOUBLE)


def write_optimizer(folder, draw, name, chosen, short, dtype, steps=10):
    arguments = {"lr": 0.1, **chosen}
    parameter = torch.randn(draw.randint(1, 4), 3, dtype=dtype).requires_grad_(True)
    tensors, missing = {"param": parameter.detach().clone()}, draw.randint(1, steps - 2)
    how = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    optimizer = getattr(torch.optim, name)([parameter], **how)
    for step in range(steps):
        parameter.grad = None
        if step != missing:
            parameter.grad = torch.randn_like(parameter)
            tensors[f"grad.{step}"] = parameter.grad.clone()
        optimizer.step()
        tensors[f"expect.param.{step}"] = parameter.detach().clone()
    says = dict(kind="optimizer", name=name.lower(), optimizer=name, args=arguments, steps=steps, dtype=short)
    folder.write(says, tensors)


def valley(x, y):
    """Rosenbrock's, and a slope on its other side."""
    return ((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2 + (y - x[1]) ** 2 + y**4).sum()


def bowl(x, y):
    """Without a curved way down, and with a long one."""
    return (x**2).sum() / 2 + 3 * ((y - x[0]) ** 2).sum() + (x[1] * y).cosh().sum()


LBFGS = [
    (valley, {"lr": 0.02, "max_iter": 3, "max_eval": 3}),
    (valley, {"max_iter": 4, "max_eval": 5, "history_size": 2, "line_search_fn": "strong_wolfe"}),
    (valley, {"line_search_fn": "strong_wolfe"}),
    (bowl, {"lr": 0.3, "tolerance_grad": 1e-3}),
    (bowl, {"lr": 0.5, "history_size": 1, "max_iter": 7, "tolerance_change": 1e-4}),
    (bowl, {"max_iter": 2, "line_search_fn": "strong_wolfe"}),
    (valley, {"max_iter": 9, "tolerance_change": 1e-2, "line_search_fn": "strong_wolfe"}),
]


def closures(folder, draw, steps=5):
    """An optimizer that evaluates a function, which the case names, of the parameters x and y."""
    for function, arguments in LBFGS:
        parameters = [torch.tensor([-1.2, 1.0], dtype=DOUBLE), torch.tensor([0.5], dtype=DOUBLE)]
        parameters = [(start + 0.2 * torch.randn_like(start)).requires_grad_(True) for start in parameters]
        tensors = {f"param.{name}": p.detach().clone() for name, p in zip("xy", parameters)}
        optimizer, before = torch.optim.LBFGS(parameters, **arguments), []

        def closure():
            optimizer.zero_grad()
            loss = function(*parameters)
            loss.backward()
            return loss

        for step in range(steps):
            before.append(optimizer.step(closure).detach())
            tensors |= {f"expect.{name}.{step}": p.detach().clone() for name, p in zip("xy", parameters)}
        tensors["expect.loss"] = torch.stack(before)
        says = dict(kind="closure", name="lbfgs", optimizer="LBFGS", function=function.__name__, args=arguments,
                    steps=steps, dtype="f64")
        folder.write(says, tensors)


SCHEDULES = [
    ("StepLR", dict(step_size=7, gamma=0.6)),
    ("MultiStepLR", dict(milestones=[3, 30, 50, 50], gamma=0.3)),
    ("ConstantLR", dict()),
    ("ConstantLR", dict(factor=0.7, total_iters=9)),
    ("LinearLR", dict(start_factor=0.2, end_factor=0.7, total_iters=40)),
    ("ExponentialLR", dict(gamma=0.97)),
    ("PolynomialLR", dict(total_iters=61, power=1.7)),
    ("CosineAnnealingLR", dict(T_max=23, eta_min=0.05)),
    ("CosineAnnealingWarmRestarts", dict(T_0=5, T_mult=2, eta_min=0.05)),
    ("CosineAnnealingWarmRestarts", dict(T_0=9)),
    ("CyclicLR", dict(base_lr=0.1, max_lr=0.4, step_size_up=8)),
    ("CyclicLR", dict(base_lr=0.1, max_lr=0.4, step_size_up=5, step_size_down=9, mode="triangular2")),
    ("CyclicLR", dict(base_lr=0.1, max_lr=0.4, step_size_up=5, mode="exp_range", gamma=0.98)),
    ("OneCycleLR", dict(max_lr=0.4, total_steps=100)),
    ("OneCycleLR", dict(max_lr=0.4, total_steps=100, pct_start=0.37, div_factor=10.0, final_div_factor=20.0,
                        anneal_strategy="linear", three_phase=True)),
    ("ReduceLROnPlateau", dict(factor=0.5, patience=2, threshold=0.05, cooldown=1, min_lr=0.01)),
    ("ReduceLROnPlateau", dict(mode="max", factor=0.3, patience=1, threshold=0.02, threshold_mode="abs")),
]


# What a case names in the place of a function of the step.
FUNCTIONS = {
    "reciprocal": lambda step: 1 / (1 + step),
    "slower": lambda step: 1 - 0.1 / (1 + step),
    "halves": lambda step: 0.5 ** (step // 30),
}

LATER_SCHEDULES = [
    ("ConstantLR", dict(total_iters=0)),
    ("LambdaLR", dict(lr_lambda="reciprocal")),
    ("LambdaLR", dict(lr_lambda="halves")),
    ("MultiplicativeLR", dict(lr_lambda="slower")),
    ("SequentialLR", dict(milestones=[5, 40], schedulers=[
        ["LinearLR", {}], ["CosineAnnealingLR", dict(T_max=23)], ["ExponentialLR", dict(gamma=0.9)]])),
    ("SequentialLR", dict(milestones=[10], schedulers=[
        ["ConstantLR", dict(factor=0.1, total_iters=10)], ["LambdaLR", dict(lr_lambda="reciprocal")]])),
    ("ChainedScheduler", dict(schedulers=[
        ["ExponentialLR", dict(gamma=0.97)], ["StepLR", dict(step_size=7, gamma=0.6)],
        ["PolynomialLR", dict(total_iters=61)]])),
    ("ChainedScheduler", dict(schedulers=[
        ["LinearLR", dict(total_iters=9)], ["MultiplicativeLR", dict(lr_lambda="slower")]])),
    ("OneCycleLR", dict(max_lr=0.4, total_steps=100, cycle_momentum=True)),
    ("OneCycleLR", dict(max_lr=0.4, total_steps=100, pct_start=0.4, anneal_strategy="linear", three_phase=True,
                        cycle_momentum=True, base_momentum=0.7, max_momentum=0.99)),
    ("CyclicLR", dict(base_lr=0.1, max_lr=0.4, step_size_up=3, cycle_momentum=True)),
    ("CyclicLR", dict(base_lr=0.1, max_lr=0.4, step_size_up=3, step_size_down=4, mode="exp_range", gamma=0.9,
                      cycle_momentum=True, base_momentum=0.5, max_momentum=0.99)),
    ("CyclicLR", dict(base_lr=0.1, max_lr=0.4, step_size_up=4, mode="triangular2", cycle_momentum=True)),
]


def scheduler(optimizer, name, arguments):
    """As the case says it: functions by name, and schedules in a schedule as name and arguments."""
    how = dict(arguments)
    if "lr_lambda" in how:
        how["lr_lambda"] = FUNCTIONS[how["lr_lambda"]]
    inner = [scheduler(optimizer, *each) for each in how.pop("schedulers", [])]
    if name == "ChainedScheduler":
        return lr_scheduler.ChainedScheduler(inner, optimizer)
    return getattr(lr_scheduler, name)(optimizer, *([inner] if inner else []), **how)


def schedules(folder, draw):
    write_schedules(folder, draw, SCHEDULES)


def write_schedules(folder, draw, schedules, steps=100):
    for name, arguments in schedules:
        optimizer = torch.optim.SGD([torch.zeros(1).requires_grad_(True)], lr=0.4, momentum=0.9)
        schedule = scheduler(optimizer, name, arguments)
        metrics = [1.0 / (1 + 0.05 * step) + 0.1 * draw.random() for step in range(steps)]
        observes, rates, momentums = name == "ReduceLROnPlateau", [], []
        for step, metric in enumerate(metrics):
            rates.append(optimizer.param_groups[0]["lr"])
            momentums.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            if step + 1 < steps:
                schedule.step(*([metric] if observes else []))
        tensors = {"expect.lr": torch.tensor(rates, dtype=DOUBLE)}
        if "cycle_momentum" in arguments:
            tensors["expect.momentum"] = torch.tensor(momentums, dtype=DOUBLE)
        if observes:
            tensors["metric"] = torch.tensor(metrics, dtype=DOUBLE)
        folder.write(dict(kind="schedule", name=name.lower(), scheduler=name, args=arguments, lr=0.4, dtype="f64"), tensors)


def later(folder, draw):
    """What was added behind all others, whose draws it leaves as they were. (Lion is not PyTorch's.)"""
    write_losses(folder, draw, options_of_ctc(draw))
    muons(folder, draw)
    closures(folder, draw)
    write_schedules(folder, draw, LATER_SCHEDULES)
