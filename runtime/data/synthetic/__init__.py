"""A synthetic world in nuScenes format: roads, traffic, six cameras and a lidar, from a seed.

`runtime.data.synthetic.generate.synthesize` writes a whole dataset that the stock nuScenes devkit loads.
"""
