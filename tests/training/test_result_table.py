from runtime.training.metric_values import headline
from runtime.training.result_table import result_table

METRICS = {
    "bev_seg": {"IoU/divider": 0.4, "mIoU": 0.35, "mIoU_all": 0.5},
    "bev_det": {"mAP": 0.25, "mATE": 0.75, "NDS": 0.3, "AP/construction_vehicle": float("nan")},
}


def test_the_table_has_means_first_units_and_what_was_measured():
    report = {
        "stage": "float",
        "checkpoint": None,
        "split": "mini_val",
        "num_samples": 81,
        "data_digest": "0123456789abcdef",
        "line_width": 0.75,
        "metrics": METRICS,
    }
    assert result_table(report) == (
        "stage float, weights untrained\n"
        "split mini_val, 81 samples, data 0123456789ab\n"
        "\n"
        "bev_seg\n"
        "  mIoU         0.3500  map classes, lines 0.75 m wide\n"
        "  mIoU_all     0.5000  with others\n"
        "  IoU divider  0.4000\n"
        "\n"
        "bev_det\n"
        "  mAP                      0.2500\n"
        "  mATE                     0.7500  m\n"
        "  NDS                      0.3000\n"
        "  AP construction_vehicle     n/a"
    )


def test_the_headline_leaves_out_classes_and_errors():
    assert headline(METRICS) == "mIoU 0.3500  mIoU_all 0.5000  mAP 0.2500  NDS 0.3000"
