"""`python -m runtime.deployment.infer --experiment DIR --model-inputs INPUTS --save-path DIR`."""

from __future__ import annotations

from runtime.deployment.infer.arguments import parse_infer_arguments


def main() -> None:
    """Parse the command line, then import what takes its time."""
    arguments = parse_infer_arguments(None)
    from runtime.deployment.infer.run_inference import run_inference
    from runtime.training.stage_process import end_with

    end_with(lambda: run_inference(arguments), threads=arguments.threads)


if __name__ == "__main__":
    main()
