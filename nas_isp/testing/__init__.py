"""Conformance tests for what other packages add: one class a kind, of which a test of theirs runs everything.

A subclass of a conformance class says which member it is about; pytest, which this package does not depend on, finds
the tests in it. All of a package's tests of a block may be::

    from nas_isp.testing.blocks import BlockConformance

    class TestInverted(BlockConformance):
        name = "inverted"

Members are looked up by name, as recipes, search spaces and commands do: what is installed is found, anything else is
to be registered before. The classes are `blocks.BlockConformance`, `losses.LossConformance`, `scores.ScoreConformance`,
`samplers.SamplerConformance`, `exporters.ExporterConformance`, `targets.TargetConformance`,
`features.FeatureNetworkConformance` and `sensors.SensorConformance`.
"""
