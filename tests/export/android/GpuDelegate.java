package org.tensorflow.lite.gpu;

/** The part of LiteRT's interface that the example names. */
public class GpuDelegate implements org.tensorflow.lite.Delegate {
    @Override
    public void close() {}
}
