"""The networks of the documents. Add new cases at the end: the position of a case gives its seed."""


def dense(i, o, act='linear', bias=True, **kw): return dict(className='Dense', inputs=i, units=o, activation=act, useBias=bias, **kw)
def conv(c, f, k, act, bias=True, **kw): return dict(className='Conv2D', channels=c, filters=f, kernelSize=k, activation=act, useBias=bias, **kw)
def conv_of(kind, c, f, k, act='linear', bias=True, **kw): return dict(conv(c, f, k, act, bias, **kw), className=kind)
def spread(kind, c, q, k, act='linear', bias=True, **kw):
    return dict(className=kind, channels=c, depthMultiplier=q, kernelSize=k, activation=act, useBias=bias, **kw)
def embedding(v, m): return dict(className='Embedding', inputDim=v, outputDim=m)
def batch_norm(mean, variance, **kw): return dict(className='BatchNormalization', channels=len(mean), movingMean=mean, movingVariance=variance, **kw)
def layer_norm(c, **kw): return dict(className='LayerNormalization', channels=c, **kw)
def plain(kind, **kw): return dict(className=kind, **kw)
def given(name, shape): return dict(className='InputLayer', name=name, shape=shape)
def again(name, layer, source): return {'name': name, 'shares': layer, 'from': [source]}
def reads(layer, *sources, **kw): return {**layer, **kw, 'from': list(sources)}


CHAINS = {
    'dense_categorical': dict(lik='categorical', shape=[5], C=3, layers=[dense(5, 7, 'tanh'), dense(7, 6, 'tanh'), dense(6, 3, 'softmax')]),
    'dense_categorical_no_bias': dict(lik='categorical', shape=[4], C=3, layers=[dense(4, 6, 'tanh', False), dense(6, 3, 'softmax', False)]),
    'dense_gaussian': dict(lik='gaussian', shape=[3], C=2, s2=0.3, layers=[dense(3, 8, 'relu'), dense(8, 2, 'linear')]),
    'dense_gaussian_vector_noise': dict(lik='gaussian', shape=[3], C=2, s2=[0.3, 1.4], layers=[dense(3, 5, 'tanh'), dense(5, 2, 'linear')]),
    'dense_heteroscedastic': dict(lik='heteroscedastic', shape=[3], C=4, layers=[dense(3, 7, 'tanh'), dense(7, 4, 'linear')]),
    'linear_gaussian': dict(lik='gaussian', shape=[4], C=2, s2=0.5, layers=[dense(4, 2, 'linear')]),
    'dense_bernoulli': dict(lik='bernoulli', shape=[4], C=1, layers=[dense(4, 6, 'elu'), dense(6, 1, 'sigmoid')]),
    'conv_categorical': dict(lik='categorical', shape=[6, 5, 2], C=3, layers=[
        conv(2, 4, [3, 3], 'tanh', padding='same', strides=1), conv(4, 3, [2, 2], 'relu', padding='valid', strides=2),
        dict(className='Flatten'), dense(18, 3, 'softmax')]),
    'sequence_categorical': dict(lik='categorical', shape=[5, 3], C=4, layers=[
        dense(3, 6, 'tanh'), dict(className='GlobalAveragePooling1D'), dense(6, 4, 'softmax')]),
    'dense_bernoulli_many': dict(lik='bernoulli', shape=[4], C=3, layers=[dense(4, 6, 'elu'), dense(6, 3, 'linear')]),
}

LAYERS = {
    'dense_estimators': dict(lik='categorical', shape=[3], C=3, layers=[dense(3, 4, 'tanh'), dense(4, 3, 'softmax')]),
    'dense_poisson': dict(lik='poisson', shape=[3], C=2, layers=[dense(3, 5, 'tanh'), dense(5, 2)]),
    'dense_weighted': dict(lik='categorical', shape=[3], C=3, weighted=True, layers=[dense(3, 4, 'tanh'), dense(4, 3, 'softmax')]),
    'sequence_weighted': dict(lik='bernoulli', shape=[4, 2], C=1, weighted=True, layers=[
        dense(2, 4, 'tanh'), plain('GlobalAveragePooling1D'), dense(4, 1, 'sigmoid')]),
    'conv1d_categorical': dict(lik='categorical', shape=[7, 2], C=3, layers=[
        conv_of('Conv1D', 2, 3, [3], 'tanh', padding='same', strides=2), conv_of('Conv1D', 3, 3, [2], 'relu', dilationRate=2),
        plain('Flatten'), dense(6, 3, 'softmax')]),
    'conv_dilated_bernoulli': dict(lik='bernoulli', shape=[5, 5, 1], C=1, layers=[
        conv(1, 3, [2, 3], 'tanh', padding='same', dilationRate=2), conv(3, 2, [2, 2], 'elu', bias=False, strides=[2, 1]),
        plain('GlobalAveragePooling2D'), dense(2, 1, 'sigmoid')]),
    'conv_channels_first_gaussian': dict(lik='gaussian', shape=[2, 5, 4], C=2, s2=0.4, layers=[
        conv(2, 3, [3, 2], 'tanh', padding='same', strides=[2, 1], dataFormat='channelsFirst'),
        plain('GlobalAveragePooling2D', dataFormat='channelsFirst'), dense(3, 2)]),
    'conv3d_gaussian': dict(lik='gaussian', shape=[3, 3, 2, 1], C=2, s2=0.6, layers=[
        conv_of('Conv3D', 1, 2, [2, 3, 2], 'tanh', padding='same', strides=[1, 2, 1]), conv_of('Conv3D', 2, 2, [2, 1, 2], 'tanh'),
        plain('Flatten'), dense(8, 2)]),
    'depthwise_categorical': dict(lik='categorical', shape=[4, 4, 2], C=3, layers=[
        spread('DepthwiseConv2D', 2, 2, [3, 2], 'tanh', padding='same'), conv(4, 2, [2, 2], 'relu', strides=2),
        plain('Flatten'), dense(8, 3, 'softmax')]),
    'depthwise_strided_gaussian': dict(lik='gaussian', shape=[5, 4, 3], C=2, s2=0.5, layers=[
        spread('DepthwiseConv2D', 3, 1, [2, 2], 'tanh', bias=False, strides=2), plain('Flatten'), dense(12, 2)]),
    'separable_gaussian': dict(lik='gaussian', shape=[4, 4, 2], C=2, s2=0.3, layers=[
        spread('SeparableConv2D', 2, 2, [3, 3], 'tanh', padding='same', strides=2, filters=3),
        plain('GlobalAveragePooling2D'), dense(3, 2)]),
    'conv2d_transpose_gaussian': dict(lik='gaussian', shape=[3, 2, 2], C=2, s2=0.5, layers=[
        conv_of('Conv2DTranspose', 2, 2, [4, 3], 'tanh', padding='same', strides=[2, 1]),
        conv_of('Conv2DTranspose', 2, 2, [3, 2], 'tanh', strides=[2, 1]), plain('GlobalAveragePooling2D'), dense(2, 2)]),
    'embedding_categorical': dict(lik='categorical', shape=[6], ids=7, C=3, layers=[
        embedding(7, 3), dense(3, 4, 'tanh'), plain('GlobalAveragePooling1D'), dense(4, 3, 'softmax')]),
    'embedding_gaussian': dict(lik='gaussian', shape=[3], ids=5, C=2, s2=0.7, layers=[embedding(5, 2), plain('Flatten'), dense(6, 2)]),
    'layer_normalisation_categorical': dict(lik='categorical', shape=[4, 3], C=3, layers=[
        layer_norm(3), dense(3, 4, 'tanh'), plain('GlobalAveragePooling1D'), layer_norm(4), dense(4, 3, 'softmax')]),
    'batch_normalisation_gaussian': dict(lik='gaussian', shape=[3], C=2, s2=0.4, layers=[
        dense(3, 4, bias=False), batch_norm([0.1, -0.3, 0.2, 0.], [0.8, 1.5, 0.6, 1.1]), plain('Activation', activation='softplus'),
        plain('Dropout', rate=0.5), dense(4, 2)]),
}

GRAPHS = {
    'shared_layer_categorical': dict(lik='categorical', shape=[4], C=3, layers=[
        given('x', [4]), dense(4, 4, 'tanh', name='twice'), again('second', 'twice', 'twice'),
        reads(plain('Concatenate', name='both'), 'twice', 'second'), dense(8, 3, 'softmax', name='head')]),
    'shared_sequence_gaussian': dict(lik='gaussian', shape=[3, 2], C=2, s2=0.5, layers=[
        given('x', [3, 2]), dense(2, 2, 'tanh', name='twice'), again('second', 'twice', 'twice'),
        reads(plain('Add', name='sum'), 'x', 'second'), plain('GlobalAveragePooling1D', name='mean'), dense(2, 2, name='head')]),
    'siamese_bernoulli': dict(lik='bernoulli', C=1, layers=[
        given('left', [3]), given('right', [3]), reads(dense(3, 4, 'tanh', name='encoder'), 'left'), again('other', 'encoder', 'right'),
        reads(plain('Concatenate', name='both'), 'encoder', 'other'), dense(8, 1, 'sigmoid', name='head')]),
    'residual_categorical': dict(lik='categorical', shape=[4], C=3, layers=[
        given('x', [4]), dense(4, 5, 'tanh', name='first'), dense(5, 5, 'relu', name='second'),
        reads(plain('Add', name='sum'), 'first', 'second'), reads(plain('Concatenate', name='wide'), 'sum', 'x'),
        dense(9, 3, 'softmax', name='head')]),
    'residual_conv_categorical': dict(lik='categorical', shape=[4, 3, 1], C=3, layers=[
        given('x', [4, 3, 1]), conv(1, 2, [2, 2], 'linear', padding='same', name='stem'),
        batch_norm([0.1, -0.2], [0.7, 1.3], name='normal'), plain('Activation', activation='relu', name='cut'),
        conv(2, 2, [3, 2], 'tanh', bias=False, padding='same', name='branch'), reads(plain('Add', name='sum'), 'stem', 'branch'),
        plain('GlobalAveragePooling2D', name='mean'), dense(2, 3, 'softmax', name='head')]),
    'multi_input_gaussian': dict(lik='gaussian', C=2, s2=0.5, layers=[
        given('image', [4, 4, 1]), given('vector', [3]), reads(conv(1, 2, [2, 2], 'tanh', padding='same', name='filters'), 'image'),
        plain('MaxPooling2D', poolSize=[2, 2], name='pool'), plain('Flatten', name='flat'),
        reads(dense(3, 2, 'tanh', name='vectors'), 'vector'), reads(plain('Concatenate', name='both'), 'flat', 'vectors'), dense(10, 2, name='head')]),
    'multi_output': dict(lik=['categorical', 'gaussian'], s2=[None, 0.4], C=[3, 1], shape=[3], outputs=['label', 'value'], layers=[
        given('x', [3]), dense(3, 4, 'tanh', name='trunk'), reads(dense(4, 3, 'softmax', name='label'), 'trunk'),
        reads(dense(4, 1, name='value'), 'trunk')]),
}

CASES = {**CHAINS, **LAYERS, **GRAPHS}
FIRST = set(CHAINS)   # the oldest documents: they do not state ekfac, diagonal and full
