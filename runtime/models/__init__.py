"""The model: blocks, backbones, necks, view transform, BEV encoder, heads, decoders and their assembly."""
