import { findEach } from '../planted.mjs'

findEach('mp-alipay', {
  'a page that is missing': [(_, remove) => remove('pages/group/group.js'), /pages\/group\/group\.js is missing/],
  'a component that is missing': [(_, remove) => remove('components/SeatRow.axml'), /components\/SeatRow\.axml is missing/],
  'an address of no page': [(edit) => edit('routes.js', (it) => it.replace('/pages/login/login', '/pages/login/logon')), /no page pages\/login\/logon/],
  'a call that Alipay does not have': [(edit) => edit('platform/mp-alipay.js', (it) => it.replace('my.tradePay', 'my.requestPayment')), /my\.requestPayment does not exist/],
  'a broken template': [(edit) => edit('pages/group/group.axml', (it) => it.replace('</', '<')), /group\.axml: about:blank/],
  'an element that Alipay does not have': [(edit) => edit('pages/group/group.axml', (it) => it.replace('<seat-row', '<seats-row')), /no element seats-row/],
  'an event in WeChat’s words': [(edit) => edit('pages/group/group.axml', (it) => it.replace('onTap', 'bindtap')), /bindtap is WeChat’s/],
  'an event that no element tells': [(edit) => edit('pages/group/group.axml', (it) => it.replace('onTap', 'onTpa')), /group\.axml: view tells nothing to onTpa/],
  'something shown that nothing gives': [(edit) => edit('pages/group/group.axml', (it) => it.replace(/>{{\w+}}</, '>{{lost}}<')), /group\.axml: \{\{lost\}\} is never given/],
})
