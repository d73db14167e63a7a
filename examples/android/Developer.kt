// Develops a Bayer mosaic with an exported model. See README.md beside this file.
package org.example.isp

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.ShortBuffer
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.gpu.GpuDelegate

/**
 * A model written by `nas-isp export M --to tflite --input-type raw --output-type uint8 --input-size HxW`.
 *
 * @param model the file's bytes, direct and in native order.
 * @param height rows of the packed picture: half of the mosaic's.
 * @param width its columns.
 * @param delegate a GPU delegate, or null for XNNPACK on the CPU.
 */
class Developer(model: ByteBuffer, private val height: Int, private val width: Int, delegate: GpuDelegate? = null) :
    AutoCloseable {
    private val interpreter =
        Interpreter(model, Interpreter.Options().apply { if (delegate != null) addDelegate(delegate) else setNumThreads(4) })
    private val packed = ByteBuffer.allocateDirect(height * width * 4 * Int.SIZE_BYTES).order(ByteOrder.nativeOrder())
    private val gains = ByteBuffer.allocateDirect(4 * Int.SIZE_BYTES).order(ByteOrder.nativeOrder())
    private val rgb = ByteBuffer.allocateDirect(4 * height * width * 3)

    /**
     * RGB bytes, row by row, of 2 * height x 2 * width pixels.
     *
     * @param mosaic sensor values as RAW_SENSOR images hold them, [stride] values a row.
     * @param top first row whose first or second pixel is red; with [left] it makes the crop start at a red pixel.
     * @param left first column of the crop.
     * @param light gains of the capture's light for R, G, G, B, green 1, for a model whose file takes them.
     */
    fun develop(mosaic: ShortBuffer, stride: Int, top: Int, left: Int, light: FloatArray? = null): ByteBuffer {
        val values = packed.asIntBuffer()
        for (y in 0 until height) {
            val red = (top + 2 * y) * stride + left
            val blue = red + stride
            for (x in 0 until width) {
                // The planes' order is that of the record: R, G of the red row, G of the blue row, B.
                values.put(mosaic.get(red + 2 * x).toInt() and 0xffff)
                values.put(mosaic.get(red + 2 * x + 1).toInt() and 0xffff)
                values.put(mosaic.get(blue + 2 * x).toInt() and 0xffff)
                values.put(mosaic.get(blue + 2 * x + 1).toInt() and 0xffff)
            }
        }
        packed.rewind()
        rgb.rewind()
        if (light == null) {
            interpreter.run(packed, rgb)
        } else {
            gains.asFloatBuffer().put(light)
            gains.rewind()
            interpreter.runForMultipleInputsOutputs(arrayOf<Any>(packed, gains), mapOf<Int, Any>(0 to rgb))
        }
        rgb.rewind()
        return rgb
    }

    override fun close() = interpreter.close()
}
