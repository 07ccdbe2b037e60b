/** A product as the form holds it, and what is sent of it. */
import type { Product, ProductInput } from '@/api/products'
import { cleaned } from './description'
import { matrixOf, skusOf, type Row, type Spec } from './matrix'

export interface Draft {
  title: string
  category_id: string
  selling_point: string
  unit: string
  warn_below: number | null
  description: string // HTML
  images: string[]
  on_sale: boolean
  freight_template_id: string
  specs: Spec[]
  rows: Row[]
}

export const unwritten = (): Draft => ({
  title: '',
  category_id: '',
  selling_point: '',
  unit: '',
  warn_below: 0,
  description: '',
  images: [],
  on_sale: true,
  freight_template_id: '',
  ...matrixOf([]),
})

export const written = (product: Product): Draft => ({
  title: product.title,
  category_id: product.category_id,
  selling_point: product.selling_point,
  unit: product.unit,
  warn_below: product.warn_below,
  description: product.description,
  images: product.images,
  on_sale: product.on_sale,
  freight_template_id: product.freight_template_id ?? '',
  ...matrixOf(product.skus),
})

/** Every field, those that the form does not show included: what is left out would be emptied. */
export const inputOf = (draft: Draft): ProductInput => ({
  title: draft.title.trim(),
  category_id: draft.category_id,
  selling_point: draft.selling_point.trim(),
  unit: draft.unit.trim(),
  warn_below: draft.warn_below ?? 0,
  description: cleaned(draft.description),
  images: draft.images,
  on_sale: draft.on_sale,
  freight_template_id: draft.freight_template_id,
  skus: skusOf(draft),
})
