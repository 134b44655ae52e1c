"""Map segmentation in the bird's-eye view."""
