/** Names under which a backend may register its own kernels for the operations of fused.ts and their gradients. */
export const fusedKernels = {
  gelu: 'MotifGelu',
  geluGradient: 'MotifGeluGradient',
  layerNorm: 'MotifLayerNorm',
  layerNormGradient: 'MotifLayerNormGradient',
  rmsNorm: 'MotifRmsNorm',
  rmsNormGradient: 'MotifRmsNormGradient',
  rotary: 'MotifRotary',
  attention: 'MotifAttention',
  biasedAttention: 'MotifBiasedAttention',
  attentionGradient: 'MotifAttentionGradient',
} as const;
