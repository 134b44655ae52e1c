"""Colours of the pictures, RGB."""

from typing import Final

Color = tuple[int, int, int]

BACKGROUND: Final[Color] = (17, 20, 25)
PANEL: Final[Color] = (27, 32, 39)
MAP_REGION: Final[Color] = (37, 43, 52)
GRID: Final[Color] = (58, 66, 77)
TEXT: Final[Color] = (226, 230, 235)
FAINT_TEXT: Final[Color] = (139, 149, 161)
TRUTH: Final[Color] = (255, 255, 255)
EGO: Final[Color] = (235, 238, 242)

# In the order of DETECTION_CLASSES. Vehicles are warm, people and small things stand apart from them.
CLASS_COLORS: Final[tuple[Color, ...]] = (
    (255, 140, 60),  # car
    (255, 193, 59),  # truck
    (203, 160, 100),  # construction_vehicle
    (255, 105, 150),  # bus
    (190, 120, 235),  # trailer
    (150, 175, 205),  # barrier
    (255, 82, 82),  # motorcycle
    (255, 160, 150),  # bicycle
    (60, 215, 235),  # pedestrian
    (235, 240, 90),  # traffic_cone
)

# In the order of MAP_CLASSES; "others" is not drawn.
MAP_COLORS: Final[tuple[Color, ...]] = (
    MAP_REGION,
    (226, 178, 70),  # divider
    (88, 150, 236),  # ped_crossing
    (88, 190, 120),  # boundary
)
