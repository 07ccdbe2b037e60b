import { get, post, put, remove } from './client'
import type { BodyOf, QueryOf, Schema } from './types'

export type Product = Schema<'Product'>
export type ProductSummary = Schema<'ProductSummary'>
export type ProductInput = BodyOf<'post', '/v1/merchant/products'>
export type SellingActivity = Schema<'SellingActivity'>
export type StockedSku = Schema<'StockedSku'>
export type Category = Schema<'Category'>
export type StockChange = Schema<'StockChange'>

export const listProducts = (query: QueryOf<'/v1/merchant/products'>) => get('/v1/merchant/products', { query })
export const readProduct = (product_id: string) =>
  get('/v1/merchant/products/{product_id}', { path: { product_id } })
export const createProduct = (body: ProductInput, key: string) => post('/v1/merchant/products', { body, key })
export const changeProduct = (product_id: string, body: BodyOf<'put', '/v1/merchant/products/{product_id}'>) =>
  put('/v1/merchant/products/{product_id}', { path: { product_id }, body })
export const adjustStock = (
  product_id: string,
  body: BodyOf<'post', '/v1/merchant/products/{product_id}/stock-adjustments'>,
  key: string,
) => post('/v1/merchant/products/{product_id}/stock-adjustments', { path: { product_id }, body, key })

/** A copy that is off sale and has no stock. */
export const copyProduct = (product_id: string, key: string) =>
  post('/v1/merchant/products/{product_id}/copy', { path: { product_id }, key })
export const shelve = ({ product_id, revision }: Pick<Product, 'product_id' | 'revision'>, on_sale: boolean) =>
  put('/v1/merchant/products/{product_id}/shelf', { path: { product_id }, body: { on_sale, revision } })
export const listStockChanges = (
  product_id: string,
  query: QueryOf<'/v1/merchant/products/{product_id}/stock-adjustments'>,
) => get('/v1/merchant/products/{product_id}/stock-adjustments', { path: { product_id }, query })

export const listCategories = async () => (await get('/v1/merchant/categories')).items
export const createCategory = (body: BodyOf<'post', '/v1/merchant/categories'>, key: string) =>
  post('/v1/merchant/categories', { body, key })
export const changeCategory = (category_id: string, body: BodyOf<'put', '/v1/merchant/categories/{category_id}'>) =>
  put('/v1/merchant/categories/{category_id}', { path: { category_id }, body })
export const removeCategory = (category_id: string) =>
  remove('/v1/merchant/categories/{category_id}', { path: { category_id } })
