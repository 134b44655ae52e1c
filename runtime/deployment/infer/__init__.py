"""Pictures and a result file from the fixed-point model, for one sample: `specgen infer`."""
