"""The command line of training: one command a stage.

python -m training download [NAME] [--out DIR]   open data sets of PhysioNet; without NAME, which there are
python -m training simulate --patients 2000 --seed 1 --out DIR
python -m training prepare mimic DIR --out DIR
python -m training prepare ptbxl DIR --out DIR
python -m training prepare challenge DIR --out DIR   records of the PhysioNet/CinC Challenges
python -m training prepare ludb DIR --out DIR
python -m training prepare table YAML --out DIR  your own files and tables, as the YAML describes them
python -m training prepare all --config C        every set that a config names
python -m training pretrain --config C
python -m training finetune --config C           the config's recipe, and its teachers
python -m training baselines --config C [--only NAME]
python -m training evaluate --config C
python -m training checks --config C             lab scores on real ECGs: proxies, dose and response, domain probe
python -m training bundle --config C [--curve CURVE] --out assets/models/NAME
python -m training examples --config C --out assets/examples
python -m training lab-links --model assets/models/NAME  lab_links.json of a bundle: how diagnoses hang on labs
python -m training reference --model assets/models/NAME  simulated patients: neighbors, probes, cause and head
python -m training card --model assets/models/NAME    MODEL_CARD.md, MODEL_CARD_labels.csv, the README's table
python -m training oracle --config CURVE [--part 1/2]                  the patients of the curve's oracle
python -m training curve --config CURVE [--only RECIPE] [--part 1/2]   the label-efficiency curve
python -m training all --config C                all of it, bundle included (below the run's own folder)
python -m training sweep --config C --sweep S    a search for better settings, on validation patients (Optuna)
python -m training report --run RUN [--against OTHER] --out report.html   a run or a bundle on one page
python -m training tensorboard --run RUN [--follow 30]                    its logs, as TensorBoard reads them

On several devices or machines: torchrun --nproc-per-node N -m training STAGE --config C
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ecgkt.explain import on_terminal
from training.cohort.provenance import NOTHING, Stated
from training.config import Config, load_config, part_of

if TYPE_CHECKING:
    from training.cohort.other_sets import OtherSets
    from training.release.few_labels import CurveRuns

A_DAY = 86_400  # s
TRAINING = ("pretrain", "finetune", "baselines")
WITHOUT_TABLES = ("ptbxl", "challenge", "ludb")
CONFIG_STAGES = (*TRAINING, "evaluate", "checks", "bundle", "examples", "all")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except FileNotFoundError as error:
        print(
            on_terminal(f"training: {f'There is no {error.filename}.' if error.filename else error}"), file=sys.stderr
        )
        return 2
    except OSError as error:
        print(
            on_terminal(f"training: {error.filename or 'A file'} cannot be used ({error.strerror})."), file=sys.stderr
        )
        return 2
    except ValueError as error:
        print(on_terminal(f"training: {error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntraining: stopped; the same command goes on where it was.", file=sys.stderr)
        return 130
    return 0


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= A_DAY:
        raise argparse.ArgumentTypeError(f"must be 0 to {A_DAY}")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    download = commands.add_parser("download", help="fetch an open data set from PhysioNet, checked and resumable")
    download.add_argument("name", nargs="?", help="left out: list them")
    download.add_argument("--out", type=Path, default=Path("data"), help="the set's own folder is made here")
    download.add_argument("--match", default="", help="of its folders only paths that begin so (records100/)")
    download.add_argument("--from", dest="mirror", help="another host with PhysioNet's paths, up to its folder of sets")
    simulate = commands.add_parser("simulate", help="write a simulated cohort in MIMIC's file layout")
    simulate.add_argument("--patients", type=int, required=True)
    simulate.add_argument("--seed", type=_seed, required=True)
    simulate.add_argument("--out", type=Path, required=True)
    prepare = commands.add_parser("prepare", help="cohort files -> prepared arrays")
    prepare.add_argument("layout", choices=("mimic", *WITHOUT_TABLES, "table", "all"))
    prepare.add_argument("source", type=Path, nargs="?")
    prepare.add_argument("--out", type=Path)
    prepare.add_argument("--cohort", type=Path, help="label rules and windows (default: training/configs/cohort.yaml)")
    prepare.add_argument("--license", default="", help="what the data are under (default: what LICENSE.txt there says)")
    prepare.add_argument("--note", default="", help="words about the data, for the data card and the model card")
    prepare.add_argument("--config", type=Path, help="with `all`: the run whose sets are prepared")
    card = commands.add_parser(
        "card", help="write MODEL_CARD.md, MODEL_CARD_labels.csv, the README's table from a bundle"
    )
    card.add_argument("--model", type=Path, required=True)
    links = commands.add_parser("lab-links", help="write lab_links.json into a bundle, from simulated patients")
    links.add_argument("--model", type=Path, required=True)
    links.add_argument("--patients", type=int)
    links.add_argument("--seed", type=_seed)
    reference = commands.add_parser(
        "reference", help="give a bundle its reference cohort of simulated patients, and the figures that need them"
    )
    reference.add_argument("--model", type=Path, required=True)
    for name in ("oracle", "curve"):
        stage = commands.add_parser(name)
        stage.add_argument("--config", type=Path, required=True)
        stage.add_argument("--part", default="1/1", help="i/n: the i-th of n processes that share the work")
        if name == "curve":
            stage.add_argument("--only", help="one recipe, or `oracle`")
    sweep = commands.add_parser("sweep", help="search for better settings around a config, on validation patients")
    sweep.add_argument("--config", type=Path, required=True)
    sweep.add_argument("--sweep", type=Path, required=True, help="what is searched: see docs/training.md")
    report = commands.add_parser("report", help="one HTML page of a run or a bundle, finished or not")
    report.add_argument("--run", type=Path, required=True, help="the folder of a run, or of a bundle")
    report.add_argument("--against", type=Path, help="another one, to tell the differences to")
    report.add_argument("--out", type=Path, default=Path("report.html"))
    events = commands.add_parser("tensorboard", help="write a run's logs as events for TensorBoard")
    events.add_argument("--run", type=Path, required=True)
    events.add_argument("--follow", type=_seconds, metavar="SECONDS", help="go on, looking so often for what is new")
    for name in CONFIG_STAGES:
        stage = commands.add_parser(name)
        stage.add_argument("--config", type=Path, required=True)
        if name in ("bundle", "examples", "all"):
            stage.add_argument("--out", type=Path, required=name != "all")
        if name == "bundle":
            stage.add_argument("--curve", type=Path, help="the curve's config: its networks with few labels ship too")
        if name == "baselines":
            stage.add_argument("--only")
        if name in ("finetune", "baselines"):
            stage.add_argument(
                "--part", default="1/1", help="i/n: the i-th of n processes that share an ensemble's members; then "
                "once without, which joins them"
            )  # fmt: skip
    return parser


def _run(options: argparse.Namespace) -> None:
    if options.command == "download":
        _download(options)
    elif options.command == "simulate":
        from training.simulation import simulate

        simulate(options.patients, options.seed, options.out)
    elif options.command == "prepare":
        _prepare(options)
    elif options.command == "card":
        from training.release.written_files import write_cards

        write_cards(options.model)
    elif options.command == "lab-links":
        from training.release.lab_links import PATIENTS, SEED, write_links

        write_links(options.model, options.patients or PATIENTS, options.seed or SEED)
    elif options.command == "reference":
        from training.release.reference import write_reference

        write_reference(options.model)
    elif options.command == "report":
        from training.report.page import write_page

        write_page(options.run, options.against, options.out)
    elif options.command == "tensorboard":
        _refuse_without("tensorboard", "tensorboard")
        from training.report.tensorboard import write_events

        write_events(options.run, options.follow)
    elif options.command in ("oracle", "curve"):
        _curve(options)
    else:
        config = load_config(options.config)
        if config.threads:
            import torch

            torch.set_num_threads(config.threads)
        if options.command == "sweep":
            _sweep(options)
        else:
            _stage(options, config)


def _sweep(options: argparse.Namespace) -> None:
    _refuse_without("optuna", "sweep")
    from training.sweep.sweep import BEST, TABLE, sweep

    folder = sweep(options.config, options.sweep)
    print(f"{folder / TABLE}, {folder / BEST}")


def _refuse_without(package: str, extra: str) -> None:
    """Raises ValueError where a package of an extra is not installed."""
    if find_spec(package) is None:
        raise ValueError(
            f"This needs the package {package}, which is not installed: pip install '.[{extra}]', or "
            "pip install -r requirements-extras.txt."
        )


def _curve(options: argparse.Namespace) -> None:
    import torch

    from training.label_curve.curve import ORACLE, curve, curve_task, load_curve_config, run_of
    from training.label_curve.oracle import draw_patients

    config = load_curve_config(options.config)
    run = run_of(config)
    torch.set_num_threads(run.threads or torch.get_num_threads())
    if options.command == "curve":
        curve(config, options.only, options.part)
        return
    seed = next(source.seed for source in run.sources if source.name == config.source)
    codes = [str(entry["code"]) for entry in curve_task(config, run).pool.labels["diagnoses"]]
    draw_patients(config.oracle, seed, codes, config.folder / ORACLE, options.part)


def _download(options: argparse.Namespace) -> None:
    from training.download import download, listing

    if options.name is None:
        print(listing())
    else:
        download(options.name, options.out, options.mirror, options.match)


def _stage(options: argparse.Namespace, config: Config) -> None:
    """One stage of a run, or all. Under torchrun every process trains; the rest is done by the first alone."""
    from training.evaluate.evaluate import evaluate
    from training.evaluate.labs_on_real_ecgs import checks
    from training.release.bundle import bundle
    from training.release.examples import write_examples
    from training.train.devices import devices_of
    from training.train.run import load_sets

    devices = devices_of(config.hardware)
    command = options.command
    if command == "all":
        devices.first_then_all(lambda: prepare_sources(config) if devices.is_first else None)
        _refuse_without_diagnoses(config)
    if command in TRAINING or command == "all":
        _train(command, config, options)
    if not devices.is_first:
        return
    if command in ("evaluate", "all"):
        evaluate(config)
    if command == "checks":
        checks(config)
    if command == "all" and any(not prepared.info["simulated"] for prepared in load_sets(config)[1]):
        checks(config)
    if command in ("bundle", "all"):
        curve = _curve_runs(options.curve) if getattr(options, "curve", None) else None
        bundle(config, options.out or config.folder / "bundle", curve)
    if command == "examples":
        write_examples(config, options.out)


def _curve_runs(path: Path) -> CurveRuns:
    """The runs of a curve that go into a bundle: at a tenth of the labels, of the first seed."""
    from training.label_curve.curve import load_curve_config
    from training.release.few_labels import CurveRuns

    curve = load_curve_config(path)
    recipes = {name for name, size, _ in curve.runs() if size == curve.tenth}
    return CurveRuns(curve.folder / "runs", recipes, curve.best, curve.tenth, curve.seeds[0], curve.source)


def _train(command: str, config: Config, options: argparse.Namespace) -> None:
    from training.recipes import BASELINES, RECIPES, TRANSFER
    from training.train import files
    from training.train.finetune import train
    from training.train.pretrain import pretrain
    from training.train.run import RUN
    from training.train.task import run_task

    task, transfer, part = run_task(config), RECIPES[config.transfer], part_of(getattr(options, "part", "1/1"))
    if task.devices.is_first:
        files.write_json(config.folder / RUN, {"config": config.to_json()})
    if command in ("pretrain", "all"):
        if transfer.stage_1:
            pretrain(task, transfer)
        else:
            task.devices.say(f"pretrain: left out, the recipe {config.transfer!r} has no stage 1")
    if command in ("finetune", "all"):
        train(task, config.transfer, TRANSFER, part)
    if command in ("baselines", "all"):
        only = getattr(options, "only", None)
        if only not in (None, *BASELINES):
            raise ValueError(f"There is no baseline {only!r}; there are {', '.join(BASELINES)}.")
        for stage, recipe in BASELINES.items():
            if RECIPES[recipe].stage_1 and not config.pretrain_steps:
                task.devices.say(f"{stage}: left out, the config gives stage 1 no steps")
            elif only in (None, stage):
                train(task, recipe, stage, part)


def _prepare(options: argparse.Namespace) -> None:
    if options.layout == "all":
        if options.config is None:
            raise ValueError("`prepare all` needs --config.")
        prepare_sources(load_config(options.config))
        return
    if options.source is None or options.out is None:
        what = "the YAML" if options.layout == "table" else "the folder to read"
        raise ValueError(f"`prepare {options.layout}` needs {what} and --out.")
    stated = Stated(options.license, options.note)
    _prepare_one(options.layout, options.source, options.out, options.cohort, stated)


def prepare_sources(config: Config) -> None:
    """Simulate and prepare every set the config names; what is there already is kept.

    An ECG is not taken a second time, and a patient keeps the split that an earlier set gave.
    """
    for source in config.sources:
        out = config.folder / "prepared" / source.name
        if (out / "prepared.json").exists():
            print(f"prepare {source.name}: done before, kept")
        elif source.kind == "simulated":
            from training.simulation import simulate

            simulate(source.patients, source.seed, config.folder / "simulated")
            _prepare_one("mimic", config.folder / "simulated", out, Path(config.cohort))
        elif Path(source.path).exists():
            stated = Stated(source.license, source.note)
            _prepare_one(source.kind, Path(source.path), out, Path(config.cohort), stated, _others(config))
        elif source.optional:
            print(source.left_out(), file=sys.stderr)
        else:
            raise ValueError(f"The set {source.name!r} should be in {source.path}, which is not there.")


def _refuse_without_diagnoses(config: Config) -> None:
    """Raises ValueError where no prepared set has diagnoses, which the models are compared on."""
    prepared = [config.folder / "prepared" / source.name / "prepared.json" for source in config.sources]
    infos = [json.loads(file.read_text(encoding="utf-8")) for file in prepared if file.exists()]
    if not any(info["labels"]["diagnoses"] for info in infos):
        raise ValueError(
            "The sets are prepared, but none has a diagnosis with enough positives (`min_positives` in the cohort's "
            "settings), and without diagnoses there is nothing that the models could be compared on."
        )


def _others(config: Config) -> OtherSets:
    """What the sets of PTB-XL, LUDB and the like that are prepared already hold."""
    from training.cohort.other_sets import OtherSets
    from training.cohort.prepared import load_prepared

    folders = [config.folder / "prepared" / s.name for s in config.sources if s.kind in WITHOUT_TABLES]
    return OtherSets.of(load_prepared(folder) for folder in folders if (folder / "prepared.json").exists())


def _prepare_one(
    layout: str, source: Path, out: Path, cohort: Path | None, stated: Stated = NOTHING, others: OtherSets | None = None
) -> None:
    if layout == "mimic":
        from training.cohort.mimic.prepare import prepare_mimic

        prepare_mimic(source, out, cohort, stated)
    elif layout == "table":
        from training.cohort.own.prepare import prepare_table

        prepare_table(source, out, cohort, stated)
    else:
        from training.cohort.challenge import prepare_challenge
        from training.cohort.ludb import prepare_ludb
        from training.cohort.other_sets import NONE
        from training.cohort.ptbxl import prepare_ptbxl

        prepare = {"ptbxl": prepare_ptbxl, "challenge": prepare_challenge, "ludb": prepare_ludb}[layout]
        prepare(source, out, cohort, stated, others or NONE)


if __name__ == "__main__":
    sys.exit(main())
